import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Authorization, Client } from 'acme-client'
import type { AcmeSettings } from '../settings.ts'
import type { CertificateFolder, DnsRecord } from './certificate-folder.ts'
import { runDnsHook } from './dns-hook.ts'
import type { Wanted } from './names.ts'

type Challenge = Authorization['challenges'][number]

/** An order that the authority refused because there were too many. `notBefore`: when it takes the next one. */
export class TooManyOrders extends Error {
  readonly notBefore: number

  constructor(message: string, notBefore: number) {
    super(message)
    this.notBefore = notBefore
  }
}

export interface AuthorityOptions {
  settings: AcmeSettings
  folder: CertificateFolder
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

const minuteMs = 60_000
/** How long an order may take. One by DNS has two records, which the operator's program sets and removes. */
const limitsMs = { 'http-01': 5 * minuteMs, 'dns-01': 20 * minuteMs } as const
/** How long records may take to be removed when an order is stopped: the program waits for that, too. */
const stopMs = 5000

interface Deadline {
  signal: AbortSignal
  clear(): void
}

/** Takes back what was set for the authority. */
type Undo = (signal: AbortSignal) => unknown

/** A certificate authority that speaks ACME (RFC 8555). Only this file knows acme-client, which is loaded for the first order. */
export class AcmeAuthority {
  readonly #options: AuthorityOptions
  #client: Promise<Client> | null = null
  /** Of the order that asks: what the last answer said of when to come back, in seconds. Several orders ask at a time. */
  readonly #asking = new AsyncLocalStorage<{ retryAfter: string | undefined }>()
  /** The records of orders in progress. */
  readonly #inUse = new Set<string>()
  #library: Promise<typeof import('acme-client')> | null = null

  constructor(options: AuthorityOptions) {
    this.#options = options
  }

  /**
   * Orders a certificate: its hosts are proven, and then it is issued. Throws in words for the operator, also when it takes too long, or
   * the reason of `signal` as soon as that aborts. What was set for the authority is taken back in any case.
   */
  async order(wanted: Wanted, signal: AbortSignal): Promise<{ key: string; chain: string }> {
    const limitMs = limitsMs[wanted.by] + (wanted.by === 'dns-01' ? this.#options.settings.dnsWaitMs : 0)
    const limit = this.#deadline(
      limitMs,
      `The order took longer than ${Math.round(limitMs / minuteMs)} minutes.`,
    )
    try {
      return await this.#asking.run({ retryAfter: undefined }, () =>
        this.#order(wanted, AbortSignal.any([signal, limit.signal])),
      )
    } finally {
      limit.clear()
    }
  }

  /** Removes the records that orders of earlier processes left, and those whose removal failed; each is tried once. */
  async removeRecords(signal: AbortSignal): Promise<void> {
    const { folder } = this.#options
    for (const record of folder.records()) {
      if (this.#inUse.has(record.value)) continue
      await this.#remove(record, signal)
      if (signal.aborted) return
      folder.forgetRecord(record)
    }
  }

  async #order(wanted: Wanted, signal: AbortSignal): Promise<{ key: string; chain: string }> {
    try {
      const client = await unlessAborted(this.#account(), signal)
      const order = await unlessAborted(
        client.createOrder({ identifiers: wanted.hosts.map(value => ({ type: 'dns', value })) }),
        signal,
      )
      const undo: Undo[] = []
      try {
        const authorizations = await unlessAborted(client.getAuthorizations(order), signal)
        await this.#prove(client, wanted, authorizations, { undo, signal })
      } finally {
        await this.#takeBack(undo, signal)
      }
      const { crypto } = await this.#load()
      const [key, request] = await crypto.createCsr({ altNames: [...wanted.hosts] }, makeKey())
      const finished = await unlessAborted(client.finalizeOrder(order, request), signal)
      return { key: key.toString(), chain: await untilSettled(() => client.getCertificate(finished), signal) }
    } catch (error) {
      signal.throwIfAborted()
      throw this.#explained(error)
    }
  }

  /** After a stop, what is not taken back within seconds is left to `removeRecords`. */
  async #takeBack(undo: readonly Undo[], stop: AbortSignal): Promise<void> {
    const over = new AbortController()
    let limit: Deadline | undefined
    const hurry = () => {
      limit = this.#deadline(stopMs, 'The order was stopped.')
      limit.signal.addEventListener('abort', () => over.abort())
    }
    if (stop.aborted) hurry()
    else stop.addEventListener('abort', hurry)
    try {
      for (const each of undo) await each(over.signal)
    } finally {
      stop.removeEventListener('abort', hurry)
      limit?.clear()
    }
  }

  /** A signal that aborts after `ms` with an error, unless it is cleared before. */
  #deadline(ms: number, words: string): Deadline {
    const reached = new AbortController()
    const cleared = new AbortController()
    void this.#options.sleep(ms, cleared.signal).then(() => {
      if (!cleared.signal.aborted) reached.abort(new Error(words))
    })
    return { signal: reached.signal, clear: () => cleared.abort() }
  }

  #account(): Promise<Client> {
    const opening = this.#client ?? this.#open()
    this.#client = opening
    // The next order tries again.
    opening.catch(() => {
      this.#client = null
    })
    return opening
  }

  async #open(): Promise<Client> {
    const { directoryUrl, email, externalAccount } = this.#options.settings
    await this.#reach(directoryUrl)
    const { Client } = await this.#load()
    const client = new Client({
      directoryUrl,
      accountKey: this.#options.folder.secret(accountFile(directoryUrl), makeKey),
      ...(externalAccount && { externalAccountBinding: externalAccount }),
      // Its own waiting cannot be stopped: it looks once, and we wait.
      backoffAttempts: 1,
    })
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] }
    // An account that exists is looked up: a new one with the same key would be an update, and authorities refuse one that changes nothing.
    const exists = await client.createAccount({ onlyReturnExisting: true }).then(
      () => true,
      () => false,
    )
    if (!exists) await client.createAccount({ termsOfServiceAgreed: true, ...contact })
    else if (email !== undefined) await client.updateAccount(contact)
    return client
  }

  /** Loads acme-client, and sets it up the first time. */
  #load(): Promise<typeof import('acme-client')> {
    this.#library ??= import('acme-client').then(library => {
      const { defaults, interceptors } = library.axios
      // It would sleep for as long as the authority says, which may be hours. We keep that in mind ourselves.
      Object.assign(defaults, { timeout: 30_000, acmeSettings: { retryMaxAttempts: 0 } })
      interceptors.response.use(answer => {
        const asking = this.#asking.getStore()
        if (asking)
          asking.retryAfter = answer.status === 429 ? String(answer.headers['retry-after'] ?? '') : undefined
        return answer
      })
      return library
    })
    return this.#library
  }

  /** Says in words that the authority cannot be reached, which acme-client does not. */
  async #reach(url: string): Promise<void> {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) })
      await answer.body?.cancel()
    } catch (error) {
      const { cause, message } = error as Error
      throw new Error(`The authority cannot be reached at ${url}: ${(cause as Error)?.message ?? message}`)
    }
  }

  async #prove(
    client: Client,
    { by }: Wanted,
    authorizations: readonly Authorization[],
    { undo, signal }: { undo: Undo[]; signal: AbortSignal },
  ): Promise<void> {
    const challenges: Challenge[] = []
    for (const { status, challenges: offered, identifier } of authorizations) {
      if (status === 'valid') continue
      const challenge = offered.find(({ type }) => type === by)
      if (!challenge) throw new Error(`The authority offers no ${by} challenge for ${identifier.value}.`)
      const answer = await unlessAborted(client.getChallengeKeyAuthorization(challenge), signal)
      const { give, takeBack } = this.#answer(challenge, `_acme-challenge.${identifier.value}`, answer)
      // Before it is given: a program that is ended may have set its record.
      undo.push(takeBack)
      await give(signal)
      challenges.push(challenge)
    }
    if (by === 'dns-01' && challenges.length > 0 && this.#options.settings.dnsWaitMs > 0) {
      await this.#options.sleep(this.#options.settings.dnsWaitMs, signal)
    }
    for (const challenge of challenges) {
      await unlessAborted(client.completeChallenge(challenge), signal)
      await untilSettled(() => client.waitForValidStatus(challenge), signal)
    }
  }

  /** How the answer to a challenge is put where the authority looks for it, and taken back from there. */
  #answer(
    { type, token }: Challenge,
    name: string,
    answer: string,
  ): { give(signal: AbortSignal): unknown; takeBack: Undo } {
    const { folder, settings } = this.#options
    if (type === 'http-01') {
      return {
        give: () => folder.answerChallenge(token, answer),
        takeBack: () => folder.forgetChallenge(token),
      }
    }
    const { dnsHook = '' } = settings
    const record = { name, value: answer }
    return {
      give: signal => {
        this.#inUse.add(answer)
        folder.noteRecord(record)
        return runDnsHook(dnsHook, ['add', name, answer], signal)
      },
      takeBack: async signal => {
        if (await this.#remove(record, signal)) folder.forgetRecord(record)
        this.#inUse.delete(answer)
      },
    }
  }

  /** Returns whether a record was removed. One that stays does no harm: its value is good for one order. */
  async #remove({ name, value }: DnsRecord, signal: AbortSignal): Promise<boolean> {
    const { dnsHook } = this.#options.settings
    if (dnsHook === undefined) return false
    return await runDnsHook(dnsHook, ['remove', name, value], signal).then(
      () => true,
      () => false,
    )
  }

  #explained(error: unknown): Error {
    const { message } = error as Error
    const retryAfter = this.#asking.getStore()?.retryAfter
    if (retryAfter !== undefined) {
      const seconds = Number(retryAfter) || (Date.parse(retryAfter) - this.#options.now()) / 1000 || 3600
      return new TooManyOrders(message, this.#options.now() + seconds * 1000)
    }
    // How acme-client fails when there is no answer at all.
    if (error instanceof TypeError) return new Error('The authority closed the connection without an answer.')
    return error as Error
  }
}

/** Settles as the promise does, or rejects with the reason of the signal once that aborts: acme-client takes no signal. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { signal: over.signal })
  })
  try {
    return await Promise.race([aborted, promise])
  } finally {
    over.abort()
  }
}

/** Looks until the authority has decided, about three minutes at most. */
async function untilSettled<T>(look: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let looks = 1; ; looks++) {
    try {
      return await unlessAborted(look(), signal)
    } catch (error) {
      // The second is how acme-client fails when there is no answer.
      const isOpen = /pending or processing/.test((error as Error).message) || error instanceof TypeError
      if (!isOpen || looks === 20) throw error
    }
    await setTimeout(Math.min(500 * 2 ** looks, 10_000), undefined, { signal })
  }
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Each authority has an account of its own. */
function accountFile(directoryUrl: string): string {
  return `account-${createHash('sha256').update(directoryUrl).digest('hex').slice(0, 16)}.key`
}
