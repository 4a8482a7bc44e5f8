import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Logger } from '../../../src/log.ts'
import type { EdgeAddress, Orders } from './messages.ts'
import { RouteTable } from './route-table.ts'

/** Changes within this time are written together. */
const coalesceMs = 200
const format = 2

interface Kept {
  orders: Orders
  routes: RouteTable
}

/**
 * Keeps the last state of the edge in a file, so that a supervisor that starts while there is no control plane still routes.
 * The file is replaced as a whole; its last line proves that it is complete.
 */
export class StateFile {
  readonly #file: string
  readonly #log: Logger
  #timer: NodeJS.Timeout | null = null
  #latest: Kept | null = null

  constructor(file: string, log: Logger) {
    this.#file = file
    this.#log = log
  }

  /** The state in the file; null, with a warning, when it is damaged, and null when there is none. */
  read(): Kept | null {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#log.warn({ err: error, file: this.#file }, 'cannot read the last routes')
      return null
    }
    try {
      return parse(text)
    } catch (error) {
      this.#log.warn(
        { file: this.#file, reason: (error as Error).message },
        'the file of the last routes is damaged and is not used; the control plane will send them',
      )
      return null
    }
  }

  /** The addresses of the edge that had it last. */
  addresses(): readonly EdgeAddress[] {
    return existsSync(this.#file) ? (this.read()?.orders.addresses ?? []) : []
  }

  /** Writes the state soon. */
  keep(state: Kept): void {
    this.#latest = state
    this.#timer ??= setTimeout(() => this.flush(), coalesceMs)
  }

  /** Writes now what waits to be written. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const state = this.#latest
    this.#latest = null
    if (!state) return
    const draft = `${this.#file}.${process.pid}.tmp`
    try {
      writeFileSync(draft, textOf(state), { mode: 0o600 })
      renameSync(draft, this.#file)
    } catch (error) {
      // The edge works without; what is lost is a start without a control plane.
      this.#log.warn({ err: error, file: this.#file }, 'cannot keep the routes')
      rmSync(draft, { force: true })
    }
  }
}

function textOf({ orders, routes }: Kept): string {
  const lines = [{ format, orders }, ...routes.changes()].map(line => JSON.stringify(line))
  const body = `${lines.join('\n')}\n`
  return `${body}${JSON.stringify({ sha256: digest(body) })}\n`
}

function parse(text: string): Kept {
  const end = text.lastIndexOf('\n', text.length - 2) + 1
  const body = text.slice(0, end)
  const { sha256 } = JSON.parse(text.slice(end)) as { sha256?: unknown }
  if (sha256 !== digest(body)) throw new Error('its check sum is wrong')
  const [first = '', ...rest] = body.trimEnd().split('\n')
  const head = JSON.parse(first) as { format: number; orders: Orders }
  if (head.format !== format) throw new Error('it is of another version')
  const routes = new RouteTable()
  for (const line of rest) routes.apply(JSON.parse(line))
  return { orders: head.orders, routes }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
