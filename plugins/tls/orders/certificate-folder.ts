import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateSource } from '../../../src/http/tls/certificate-store.ts'

/** A record in the DNS that answers a challenge. */
export interface DnsRecord {
  name: string
  value: string
}

/**
 * The certificates that were ordered, in one folder, which every process that listens reads: `<name>.pem` with the key and the
 * chain, and `challenges/` with the answers to the authority's challenges. `records/` names the records in the DNS that were set and
 * not removed yet. Only we may read it.
 */
export class CertificateFolder {
  readonly path: string
  readonly challenges: string
  readonly #records: string

  constructor(path: string) {
    this.path = path
    this.challenges = join(path, 'challenges')
    this.#records = join(path, 'records')
    for (const each of [path, this.challenges, this.#records])
      mkdirSync(each, { recursive: true, mode: 0o700 })
    // What an order of an earlier process left.
    for (const token of readdirSync(this.challenges)) rmSync(join(this.challenges, token))
  }

  source(fallback: string): CertificateSource {
    return { files: [], folder: this.path, fallback }
  }

  fileOf(name: string): string {
    return join(this.path, `${name}.pem`)
  }

  keep(name: string, { key, chain }: { key: string; chain: string }): void {
    this.#put(this.fileOf(name), `${key.trimEnd()}\n${chain.trimEnd()}\n`)
  }

  remove(file: string): void {
    rmSync(file, { force: true })
  }

  /** Reads a secret of this folder, such as the key of an account; makes it the first time. */
  secret(name: string, make: () => string): string {
    const file = join(this.path, name)
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      const made = make()
      this.#put(file, made)
      return made
    }
  }

  answerChallenge(token: string, answer: string): void {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(token))
      throw new Error('the authority’s token has characters that it must not have')
    this.#put(join(this.challenges, token), answer)
  }

  forgetChallenge(token: string): void {
    rmSync(join(this.challenges, token), { force: true })
  }

  /** Keeps in mind, over restarts, that a record has to be removed. */
  noteRecord(record: DnsRecord): void {
    this.#put(this.#noteOf(record), JSON.stringify(record))
  }

  forgetRecord(record: DnsRecord): void {
    rmSync(this.#noteOf(record), { force: true })
  }

  records(): DnsRecord[] {
    const notes = readdirSync(this.#records).filter(name => name.endsWith('.json'))
    return notes.map(name => JSON.parse(readFileSync(join(this.#records, name), 'utf8')))
  }

  #noteOf({ name, value }: DnsRecord): string {
    const digest = createHash('sha256').update(`${name} ${value}`).digest('base64url')
    return join(this.#records, `${digest}.json`)
  }

  /** Puts a file in its place whole, or not at all. */
  #put(file: string, text: string): void {
    writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
}
