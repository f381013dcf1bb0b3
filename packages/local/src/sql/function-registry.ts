import { arraySetFunctions } from './array-functions.ts'
import { arrayFunctions } from './array-rules.ts'
import { format, formatNumber } from './format-function.ts'
import type { FunctionRule } from './function-call.ts'
import { bitFunctions } from './functions-bits.ts'
import { datetimeFunctions } from './functions-datetime.ts'
import { encodingFunctions } from './functions-encoding.ts'
import { jsonFunctions } from './functions-json.ts'
import { mathFunctions } from './functions-math.ts'
import { regexpFunctions } from './functions-regexp.ts'
import { textFunctions } from './functions-text.ts'
import { timeFormatFunctions } from './functions-time-format.ts'
import { mapConstructors } from './map-functions.ts'
import { mapFunctions } from './map-rules.ts'
import { failure, notSupported } from './query-failure.ts'
import { sequence } from './sequence-rules.ts'
import type { FunctionCall } from './syntax-tree.ts'
import { trinoFunctionNames } from './trino-function-names.ts'

const rules = new Map(
  [
    mathFunctions,
    textFunctions,
    regexpFunctions,
    jsonFunctions,
    datetimeFunctions,
    timeFormatFunctions,
    arrayFunctions,
    arraySetFunctions,
    mapFunctions,
    mapConstructors,
    bitFunctions,
    encodingFunctions,
    { sequence, format, format_number: formatNumber },
  ].flatMap((functions) => Object.entries(functions)),
)

/** The rule of a scalar function; refuses Trino's other functions, and reports what Trino does not have. */
export function scalarFunction(call: FunctionCall): FunctionRule {
  const rule = rules.get(call.name)
  if (rule !== undefined) return rule
  if (trinoFunctionNames.has(call.name)) throw notSupported(`the function ${call.name}`, call.position)
  throw failure('FUNCTION_NOT_FOUND', `Function '${call.name}' not registered`, call.position)
}
