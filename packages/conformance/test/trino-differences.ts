import type { AthenaDifferences } from '../src/index.ts'

/** Where Trino 476, behind the API of the local stack, does not do what Athena's documentation and users of Athena say. */
export const trinoDifferences: AthenaDifferences = {
  'partition projection > of dates counts months from now':
    'Trino counts from NOW in days, hours, minutes and seconds only',
  'partition projection > of an enumeration has values with blanks where they are written so':
    'Trino takes the blanks around values of an enumeration away',
  'partition projection > of injected values must be told one':
    'Trino says INVALID_COLUMN_PROPERTY in words of its own',
  "odd symbols > O'N is found where it was written":
    'Trino asks Glue for the partition by an expression in which it does not double the quote',
  'views > are tables of the catalog, with columns':
    'Trino gives the table of a view one column that is called dummy',
}
