/** Shows how far one step of a longer job has come. */
export interface ProgressLine {
  update(done: number, total: number | undefined): void
  /** Ends the line with what came of it. */
  end(result: string): void
}

const barWidth = 24
const number = new Intl.NumberFormat('en-US')

const shown = (done: number, total: number | undefined): string => {
  if (!total) return number.format(done)
  const share = Math.min(1, done / total)
  const filled = Math.round(share * barWidth)
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${String(Math.floor(share * 100)).padStart(3)} %  ${number.format(done)} of ${number.format(total)}`
}

/** A bar that redraws itself on a terminal; elsewhere one plain line at the end and one for each quarter on the way. */
export const progressLine = (title: string, stream: NodeJS.WriteStream = process.stderr): ProgressLine => {
  const label = title.padEnd(34)
  let drawnAt = Number.NEGATIVE_INFINITY
  let quarter = 0
  return {
    update(done, total) {
      if (stream.isTTY) {
        const now = performance.now()
        if (now - drawnAt < 80) return
        drawnAt = now
        stream.write(`\r\u001b[2K${label} ${shown(done, total)}`)
        return
      }
      const reached = total ? Math.floor((done / total) * 4) : 0
      if (reached > quarter && reached < 4) {
        quarter = reached
        stream.write(`${label} ${number.format(done)} of ${number.format(total!)}\n`)
      }
    },
    end(result) {
      stream.write(`${stream.isTTY ? '\r\u001b[2K' : ''}${label} ${result}\n`)
    },
  }
}
