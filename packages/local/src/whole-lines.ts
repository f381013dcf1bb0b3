const newline = 10

/**
 * How many bytes of a file of JSON lines are whole lines: without an end cut short by a kill, and without all that
 * follows a NUL byte. JSON holds none; it stands where the machine lost power before the bytes came to the disk.
 */
export const wholeLinesBytes = (content: Buffer): number => {
  const hole = content.indexOf(0)
  return (hole < 0 ? content : content.subarray(0, hole)).lastIndexOf(newline) + 1
}
