import type { MemoryObjectStore } from './memory-object-store.ts'

/** What becomes of the call at which a process dies. */
export type Death =
  /** The call never reached the store. */
  | 'before'
  /** It took effect, the answer was not heard. */
  | 'after'
  /** It takes effect long after the death. */
  | 'late'

/**
 * Lets the process behind a store handle die at its call number `at`: no answer ever comes again, and nothing it
 * does afterwards reaches the store. `late()` lets the call of a late death take effect.
 */
export const dieAt = (
  store: MemoryObjectStore,
  at: number,
  death: Death,
): { readonly died: Promise<void>; readonly late: () => void } => {
  let late = () => {}
  let dead = false
  const never = new Promise<never>(() => {})
  const died = new Promise<void>((resolve) => {
    store.intercept = (call, apply) => {
      if (dead) return never
      if (call.number < at) return apply()
      dead = true
      if (death === 'after') apply()
      if (death === 'late') {
        late = () => {
          try {
            apply()
          } catch {
            // What it was meant for is gone; nobody hears the answer.
          }
        }
      }
      resolve()
      return never
    }
  })
  return { died, late: () => late() }
}
