import { createHash } from 'node:crypto'
import type { AuditEntry } from './contract.ts'

/** What the first entry has in place of the hash of the one before. */
export const beginning = '0'.repeat(64)

/** The hash of an entry: SHA-256, in hex, of the JSON array of its fields, the hash of the entry before among them. */
export function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { seq, at, principal, address, action, via, target, instanceId, operationId, ...rest } = entry
  const fields = [
    ...[rest.previousHash, seq, at, principal.kind, principal.id, principal.name, address, action, via],
    ...[target, instanceId, operationId, rest.result, rest.status, rest.detail, rest.requestId],
  ]
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex')
}

/** What a walk through the whole log found. */
export interface Verification {
  /** How many entries are in order, from the first one on. */
  entries: number
  /** The newest of these. Keep its hash elsewhere to prove later that nothing before it was changed. */
  head: { seq: number; hash: string } | null
  /** The first entry that is missing, or is not what was written. */
  broken: { seq: number; reason: string } | null
}

/** Checks entries in their order, and remembers the first that breaks the chain. */
export class ChainCheck {
  #entries = 0
  #head: Verification['head'] = null
  #broken: Verification['broken'] = null

  /** Returns false when the chain is broken at this entry. */
  add(entry: AuditEntry): boolean {
    const seq = (this.#head?.seq ?? 0) + 1
    if (entry.seq !== seq) this.#broken = { seq, reason: `entry ${seq} is missing` }
    else if (entry.previousHash !== (this.#head?.hash ?? beginning))
      this.#broken = { seq, reason: `entry ${seq} does not follow the one before it` }
    else if (entry.hash !== hashOf(entry))
      this.#broken = { seq, reason: `entry ${seq} is not what was written` }
    if (this.#broken) return false
    this.#entries++
    this.#head = { seq, hash: entry.hash }
    return true
  }

  /** `written` is the number of the newest entry that was ever written. */
  end(written: number): Verification {
    const last = this.#head?.seq ?? 0
    if (!this.#broken && last < written)
      this.#broken = { seq: last + 1, reason: `entries ${last + 1} to ${written} are missing` }
    return { entries: this.#entries, head: this.#head, broken: this.#broken }
  }
}
