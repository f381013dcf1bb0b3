/**
 * Memory for one array after another, each until the next: answers a function that gives the first `length` entries,
 * with whatever is left in them.
 */
export const reusedArray = <Values extends Int32Array | Uint32Array>(
  array: new (length: number) => Values,
): ((length: number) => Values) => {
  let memory = new array(0)
  return (length) => {
    if (memory.length < length) memory = new array(length)
    return memory.subarray(0, length) as Values
  }
}
