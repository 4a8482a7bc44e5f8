import type { LogEntry, LogWindow } from '../driver.ts'

const keptLines = 2000

/** The newest lines that a child process wrote, to be read and to be followed. */
export class ProcessLog {
  /** The first of them is the `#first`-th of all. */
  #lines: LogEntry[] = []
  #first = 0
  #wake = new Set<() => void>()
  #ended = false

  add(entry: LogEntry): void {
    this.#lines.push(entry)
    if (this.#lines.length > keptLines) {
      this.#lines.shift()
      this.#first++
    }
    this.#tell()
  }

  /** The process ended, and with it the log for its readers. A new process may begin. */
  end(): void {
    this.#ended = true
    this.#tell()
  }

  begin(): void {
    this.#ended = false
  }

  async *read({ since, until, tail, follow }: LogWindow, signal: AbortSignal): AsyncGenerator<LogEntry> {
    const isWanted = ({ at }: LogEntry) =>
      (since === null || (at ?? 0) >= since) && (until === null || (at ?? 0) < until)
    const now = this.#first + this.#lines.length
    const wanted = this.#lines.filter(isWanted)
    yield* tail === null ? wanted : wanted.slice(Math.max(0, wanted.length - tail))
    let next = now
    while (follow && !signal.aborted) {
      if (next < this.#first) {
        const text = `… ${this.#first - next} lines are left out: they came faster than they were read …`
        next = this.#first
        yield { at: null, stream: 'err', text }
      }
      const entry = this.#lines[next - this.#first]
      if (entry) {
        next++
        if (isWanted(entry)) yield entry
      } else if (this.#ended) return
      else await this.#more(signal)
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#wake.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#wake.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #tell(): void {
    for (const wake of [...this.#wake]) wake()
  }
}
