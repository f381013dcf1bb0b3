import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemRuntime } from '../src/index.ts'

const dayMillis = 24 * 60 * 60_000

describe("a timer of the process's own runtime", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('that is due in more than 2^31 - 1 ms is not called before', () => {
    const callback = vi.fn()
    systemRuntime.setTimer(callback, 60 * dayMillis)
    vi.advanceTimersByTime(60 * dayMillis - 1)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that is never due is never called', () => {
    const callback = vi.fn()
    systemRuntime.setTimer(callback, Number.POSITIVE_INFINITY)
    vi.advanceTimersByTime(400 * dayMillis)
    expect(callback).not.toHaveBeenCalled()
  })

  it('is taken back at any time', () => {
    const callback = vi.fn()
    const timer = systemRuntime.setTimer(callback, 60 * dayMillis)
    vi.advanceTimersByTime(59 * dayMillis)
    timer.cancel()
    vi.advanceTimersByTime(2 * dayMillis)
    expect(callback).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
