import type { Socket } from 'node:net'
import { addressGroup } from '../../../src/http/address.ts'

/** Limits the connections of one client, by its address group. */
export class ConnectionLimit {
  readonly #most: number
  readonly #isExempt: (address: string) => boolean
  readonly #open = new Map<string, number>()

  /** `most` is 0 for no limit. Exempt are proxies, each of which brings the connections of many. */
  constructor(most: number, isExempt: (address: string) => boolean) {
    this.#most = most
    this.#isExempt = isExempt
  }

  /** Counts a new connection until it closes. Returns false when its client has its most already. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress
    if (this.#most === 0 || address === undefined) return true
    const group = addressGroup(address)
    const open = this.#open.get(group) ?? 0
    if (open >= this.#most && !this.#isExempt(address)) return false
    this.#open.set(group, open + 1)
    socket.once('close', () => {
      const left = (this.#open.get(group) ?? 1) - 1
      if (left === 0) this.#open.delete(group)
      else this.#open.set(group, left)
    })
    return true
  }
}
