import type { Certificate } from '../../src/http/tls/certificate.ts'
import type { CertificateStore } from '../../src/http/tls/certificate-store.ts'
import type { Logger } from '../../src/log.ts'
import type { FailedOrders } from './attempts.ts'
import { TooManyOrders } from './authority.ts'
import type { CertificateFolder } from './certificate-folder.ts'
import type { Wanted } from './names.ts'

export interface RenewalOptions {
  folder: CertificateFolder
  /** What is in the folder. */
  store: CertificateStore
  failures: FailedOrders
  wanted(): readonly Wanted[]
  order(wanted: Wanted, signal: AbortSignal): Promise<{ key: string; chain: string }>
  now(): number
  log: Logger
}

/**
 * Has the folder hold a certificate for everything that needs one. A round orders those that are missing or in the last third of
 * their time, one after another. One that failed waits, longer each time; when the authority has enough of us, all wait.
 */
export class Renewal {
  readonly #options: RenewalOptions
  /** Until when the authority takes no more orders. */
  #closedUntil = 0
  #last: Promise<void> = Promise.resolve()

  constructor(options: RenewalOptions) {
    this.#options = options
  }

  /** One round after another: a certificate is never ordered twice at a time. */
  round(signal: AbortSignal): Promise<void> {
    const round = this.#last.catch(() => undefined).then(() => this.#round(signal))
    this.#last = round
    return round
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { store, failures, now } = this.#options
    store.refresh()
    const wanted = this.#options.wanted()
    for (const each of wanted) {
      if (signal.aborted || now() < this.#closedUntil) return
      const waits = (failures.of(each.name)?.retryAt ?? 0) > now()
      if (!waits && this.#isDue(each)) await this.#order(each, signal)
    }
    this.#tidy(wanted)
  }

  #isDue({ name, hosts }: Wanted): boolean {
    const certificate = this.#certificateOf(name)
    if (!certificate || !hosts.every(host => certificate.names.includes(host))) return true
    const { notBefore, notAfter } = certificate
    return this.#options.now() >= notAfter - (notAfter - notBefore) / 3
  }

  #certificateOf(name: string): Certificate | null {
    const file = this.#options.folder.fileOf(name)
    return this.#options.store.all.find(kept => kept.file === file)?.certificate ?? null
  }

  async #order(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const { folder, store, failures, now, log } = this.#options
    try {
      folder.keep(wanted.name, await this.#options.order(wanted, signal))
      store.refresh()
      failures.forget(wanted.name)
      log.info({ hosts: wanted.hosts }, 'certificate issued')
    } catch (error) {
      if (signal.aborted) return
      const { message } = error as Error
      const notBefore = error instanceof TooManyOrders ? error.notBefore : 0
      if (error instanceof TooManyOrders) this.#closedUntil = Math.min(notBefore, now() + 3_600_000)
      failures.failed(wanted.name, message, { now: now(), notBefore })
      log.warn({ hosts: wanted.hosts, reason: message }, 'certificate not issued')
    }
  }

  /** Forgets what is no longer wanted: failures at once, certificates when they have expired. */
  #tidy(wanted: readonly Wanted[]): void {
    const { folder, store, failures, now } = this.#options
    const names = new Set(wanted.map(({ name }) => name))
    for (const { name } of failures.all()) if (!names.has(name)) failures.forget(name)
    const files = new Set(wanted.map(({ name }) => folder.fileOf(name)))
    for (const { file, certificate } of store.all) {
      if (!files.has(file) && certificate && certificate.notAfter < now()) folder.remove(file)
    }
  }
}
