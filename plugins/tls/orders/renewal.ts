import type { Certificate } from '../../../src/http/tls/certificate.ts'
import type { CertificateStore } from '../../../src/http/tls/certificate-store.ts'
import type { Logger } from '../../../src/log.ts'
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
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  log: Logger
}

/** How many orders are in progress at a time. One whose host does not answer takes minutes, and the others go on. */
const atOnce = 3
/** How often a round looks for more to order while orders are in progress. */
const lookMs = 10_000

/**
 * Has the folder hold a certificate for everything that needs one. A round orders those that are missing, and then those in the last
 * third of their time, the ones that end first before the others. One that failed waits, longer each time; when the authority has enough
 * of us, all wait.
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
    const { store, failures, now, sleep } = this.#options
    store.refresh()
    const running = new Map<string, Promise<void>>()
    const issued = new Set<string>()
    for (;;) {
      // Asked again after each order: what the site needs meanwhile comes before the rest of the customers' domains.
      const wanted = this.#options.wanted()
      const failed = failures.all()
      const due = this.#due(wanted, failed).filter(({ name }) => !running.has(name) && !issued.has(name))
      const open = !signal.aborted && now() >= this.#closedUntil
      for (const next of open ? due.slice(0, atOnce - running.size) : []) {
        const order = this.#order(next, signal).then(success => {
          running.delete(next.name)
          if (success) issued.add(next.name)
        })
        running.set(next.name, order)
      }
      if (running.size === 0) {
        if (due.length === 0) this.#tidy(wanted, failed)
        return
      }
      const looked = new AbortController()
      await Promise.race([...running.values(), sleep(lookMs, looked.signal)])
      looked.abort()
    }
  }

  #due(wanted: readonly Wanted[], failed: readonly FailedOrder[]): Wanted[] {
    const { folder, store, now } = this.#options
    const certificates = new Map(store.all.map(({ file, certificate }) => [file, certificate]))
    const waiting = new Set(failed.filter(({ retryAt }) => retryAt > now()).map(({ name }) => name))
    return wanted
      .filter(({ name }) => !waiting.has(name))
      .map(each => ({
        each,
        until: goodUntil(certificates.get(folder.fileOf(each.name)) ?? null, each.hosts),
      }))
      .filter(({ until }) => now() >= until.renewAt)
      .sort((one, other) => one.until.end - other.until.end)
      .map(({ each }) => each)
  }

  /** Returns whether the certificate was issued. */
  async #order(wanted: Wanted, signal: AbortSignal): Promise<boolean> {
    const { folder, store, failures, now, log } = this.#options
    try {
      folder.keep(wanted.name, await this.#options.order(wanted, signal))
      store.refresh()
      failures.forget(wanted.name)
      log.info({ hosts: wanted.hosts }, 'certificate issued')
      return true
    } catch (error) {
      if (signal.aborted) return false
      const { message } = error as Error
      const notBefore = error instanceof TooManyOrders ? error.notBefore : 0
      if (error instanceof TooManyOrders) this.#closedUntil = Math.min(notBefore, now() + 3_600_000)
      failures.failed(wanted.name, message, { now: now(), notBefore })
      log.warn({ hosts: wanted.hosts, reason: message }, 'certificate not issued')
      return false
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

/**
 * When a certificate ends, and when its last third begins, in which it is renewed. One that hosts do not have, or that is not for all of
 * them, ended at the beginning of time.
 */
function goodUntil(
  certificate: Certificate | null,
  hosts: readonly string[],
): { end: number; renewAt: number } {
  if (!certificate || !hosts.every(host => certificate.names.includes(host))) return { end: 0, renewAt: 0 }
  const { notBefore, notAfter } = certificate
  return { end: notAfter, renewAt: notAfter - (notAfter - notBefore) / 3 }
}
