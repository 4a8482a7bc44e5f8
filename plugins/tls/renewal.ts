import type { Certificate } from '../../src/http/tls/certificate.ts'
import type { CertificateStore } from '../../src/http/tls/certificate-store.ts'
import type { Logger } from '../../src/log.ts'
import type { FailedOrder, FailedOrders } from './attempts.ts'
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
    const tried = new Set<string>()
    for (;;) {
      // Asked again after each order: what the site needs meanwhile comes before the rest of the customers' domains.
      const wanted = this.#options.wanted()
      const failed = failures.all()
      const next = this.#due(wanted, failed).find(({ name }) => !tried.has(name))
      if (!next) return this.#tidy(wanted, failed)
      if (signal.aborted || now() < this.#closedUntil) return
      tried.add(next.name)
      await this.#order(next, signal)
    }
  }

  #due(wanted: readonly Wanted[], failed: readonly FailedOrder[]): Wanted[] {
    const { folder, store, now } = this.#options
    const certificates = new Map(store.all.map(({ file, certificate }) => [file, certificate]))
    const waiting = new Set(failed.filter(({ retryAt }) => retryAt > now()).map(({ name }) => name))
    return wanted.filter(
      ({ name, hosts }) =>
        !waiting.has(name) && isDue(certificates.get(folder.fileOf(name)) ?? null, hosts, now()),
    )
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
  #tidy(wanted: readonly Wanted[], failed: readonly FailedOrder[]): void {
    const { folder, store, failures, now } = this.#options
    const names = new Set(wanted.map(({ name }) => name))
    for (const { name } of failed) if (!names.has(name)) failures.forget(name)
    const files = new Set(wanted.map(({ name }) => folder.fileOf(name)))
    for (const { file, certificate } of store.all) {
      if (!files.has(file) && certificate && certificate.notAfter < now()) folder.remove(file)
    }
  }
}

/** Whether hosts need a certificate: they have none that is for all of them, or it is in the last third of its time. */
function isDue(certificate: Certificate | null, hosts: readonly string[], now: number): boolean {
  if (!certificate || !hosts.every(host => certificate.names.includes(host))) return true
  const { notBefore, notAfter } = certificate
  return now >= notAfter - (notAfter - notBefore) / 3
}
