import { type BigIntStats, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../log.ts'
import { type Certificate, readCertificate } from './certificate.ts'

/** Where certificates are: plain data, so that every process that listens reads them by itself. */
export interface CertificateSource {
  /** Files of the operator's. */
  files: readonly CertificateFiles[]
  /** A folder of certificates, each in one file `<name>.pem` with its key and its chain; null for none. */
  folder: string | null
  /** The host whose certificate is shown to clients that name none, or one that has no certificate. */
  fallback: string
}

export interface CertificateFiles {
  certificate: string
  key: string
}

/** A certificate that is in use, or why the one on the disk is not. */
export interface Kept {
  /** The file of the certificate. */
  file: string
  certificate: Certificate | null
  /** Why what is in the file now could not be taken; null when it was. An earlier certificate stays in use. */
  fault: string | null
}

interface Entry extends Kept {
  /** What the files were like when they were last read. */
  stamp: string
}

/**
 * The certificates of the listener, by the host that a client asks for. Follows the files when they change: `refresh` reads those
 * that did. A file that cannot be read, or whose key does not fit, changes nothing until it is whole.
 */
export class CertificateStore {
  readonly #source: CertificateSource
  readonly #log: Logger
  readonly #entries = new Map<string, Entry>()
  #exact = new Map<string, Certificate>()
  #wildcards = new Map<string, Certificate>()
  #folderStamp = ''

  constructor(source: CertificateSource, log: Logger) {
    this.#source = source
    this.#log = log
    this.refresh()
  }

  get all(): readonly Kept[] {
    return [...this.#entries.values()]
  }

  /** What to show clients that ask for no host, or for one that has no certificate; null when there is no certificate at all. */
  get fallback(): Certificate | null {
    const own = this.find(this.#source.fallback)
    if (own) return own
    for (const { certificate } of this.#entries.values()) if (certificate) return certificate
    return null
  }

  /** The certificate for a host; null if there is none. */
  find(host: string): Certificate | null {
    const name = host.toLowerCase()
    return this.#exact.get(name) ?? this.#wildcards.get(name.slice(name.indexOf('.') + 1)) ?? null
  }

  /** Reads the files that changed since the last time. */
  refresh(): void {
    let changed = false
    for (const { certificate, key } of this.#source.files) changed = this.#read(certificate, key) || changed
    if (this.#source.folder !== null) changed = this.#readFolder(this.#source.folder) || changed
    if (changed) this.#index()
  }

  #readFolder(folder: string): boolean {
    let stamp: string
    let files: string[]
    try {
      // Files are put in their place by a rename, which changes the folder as well.
      stamp = stampOf(folder)
      if (stamp === this.#folderStamp) return false
      files = stamp === '' ? [] : readdirSync(folder).filter(name => name.endsWith('.pem'))
    } catch (error) {
      this.#fault(folder, error)
      this.#folderStamp = 'not read'
      return false
    }
    const paths = new Set(files.toSorted().map(name => join(folder, name)))
    let changed = false
    for (const path of paths) changed = this.#read(path, path) || changed
    const own = new Set(this.#source.files.map(({ certificate }) => certificate))
    for (const path of this.#entries.keys()) {
      if (!paths.has(path) && !own.has(path)) changed = this.#entries.delete(path) || changed
    }
    this.#folderStamp = stamp
    return changed
  }

  /** Returns whether there is another certificate now. */
  #read(file: string, keyFile: string): boolean {
    try {
      const stamp = `${stampOf(file)} ${stampOf(keyFile)}`
      if (this.#entries.get(file)?.stamp === stamp) return false
      const certificate = readCertificate(readFileSync(file, 'utf8'), readFileSync(keyFile, 'utf8'))
      this.#entries.set(file, { file, certificate, fault: null, stamp })
      return true
    } catch (error) {
      this.#fault(file, error)
      return false
    }
  }

  /** What is in use stays. It is read again each time: permissions may change while the file does not. */
  #fault(file: string, error: unknown): void {
    const before = this.#entries.get(file)
    const fault = faultIn(file, error)
    if (before?.fault !== fault) this.#log.warn({ file, fault }, 'certificate not taken')
    this.#entries.set(file, { file, certificate: before?.certificate ?? null, fault, stamp: '' })
  }

  #index(): void {
    this.#exact = new Map()
    this.#wildcards = new Map()
    for (const { certificate } of this.#entries.values()) {
      for (const name of certificate?.names ?? []) {
        const [map, key] = name.startsWith('*.')
          ? [this.#wildcards, name.slice(2)]
          : ([this.#exact, name] as const)
        const other = map.get(key)
        // Of two for one name, the one that lasts longer: an old one may lie beside its successor.
        if (certificate && (!other || certificate.notAfter > other.notAfter)) map.set(key, certificate)
      }
    }
  }
}

/** Why the certificate of a file cannot be used, in words that begin with the file. */
export function faultIn(file: string, error: unknown): string {
  const { code, message, path } = error as NodeJS.ErrnoException
  if (code?.startsWith('E') && path !== undefined) return `${path} cannot be read (${code})`
  return `${file} ${message}`
}

/** Tells one state of a file from the next, also when a link is pointed elsewhere; '' when there is no such file. */
function stampOf(path: string): string {
  const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats ? `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}` : ''
}
