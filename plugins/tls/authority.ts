import { createHash, generateKeyPairSync } from 'node:crypto'
import type { Authorization, Client } from 'acme-client'
import type { CertificateFolder } from './certificate-folder.ts'
import { runDnsHook } from './dns-hook.ts'
import type { Wanted } from './names.ts'
import type { AcmeSettings } from './settings.ts'

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
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** A certificate authority that speaks ACME (RFC 8555). Only this file knows acme-client, which is loaded for the first order. */
export class AcmeAuthority {
  readonly #options: AuthorityOptions
  #client: Promise<Client> | null = null
  /** What the last answer said of when to come back, in seconds. */
  #retryAfter: string | undefined

  constructor(options: AuthorityOptions) {
    this.#options = options
  }

  /** Orders a certificate: its hosts are proven, and then it is issued. Throws in words for the operator. */
  async order(wanted: Wanted, signal: AbortSignal): Promise<{ key: string; chain: string }> {
    this.#retryAfter = undefined
    try {
      const client = await this.#account()
      const order = await client.createOrder({
        identifiers: wanted.hosts.map(value => ({ type: 'dns', value })),
      })
      const undo: (() => unknown)[] = []
      try {
        await this.#prove(client, wanted, await client.getAuthorizations(order), { undo, signal })
      } finally {
        for (const each of undo) await each()
      }
      const { crypto } = await import('acme-client')
      const [key, request] = await crypto.createCsr({ altNames: [...wanted.hosts] }, makeKey())
      const finished = await client.finalizeOrder(order, request)
      return { key: key.toString(), chain: await client.getCertificate(finished) }
    } catch (error) {
      throw this.#explained(error)
    }
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
    const { Client, axios } = await import('acme-client')
    // It would sleep for as long as the authority says, which may be hours. We keep that in mind ourselves.
    Object.assign(axios.defaults, { timeout: 30_000, acmeSettings: { retryMaxAttempts: 0 } })
    axios.interceptors.response.use(answer => {
      this.#retryAfter = answer.status === 429 ? String(answer.headers['retry-after'] ?? '') : undefined
      return answer
    })
    const client = new Client({
      directoryUrl,
      accountKey: this.#options.folder.secret(accountFile(directoryUrl), makeKey),
      ...(externalAccount && { externalAccountBinding: externalAccount }),
      backoffAttempts: 20,
      backoffMin: 1000,
      backoffMax: 10_000,
    })
    await client.createAccount({
      termsOfServiceAgreed: true,
      ...(email !== undefined && { contact: [`mailto:${email}`] }),
    })
    return client
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
    { undo, signal }: { undo: (() => unknown)[]; signal: AbortSignal },
  ): Promise<void> {
    const challenges: Challenge[] = []
    for (const { status, challenges: offered, identifier } of authorizations) {
      if (status === 'valid') continue
      const challenge = offered.find(({ type }) => type === by)
      if (!challenge) throw new Error(`The authority offers no ${by} challenge for ${identifier.value}.`)
      const answer = await client.getChallengeKeyAuthorization(challenge)
      undo.push(await this.#answer(challenge, `_acme-challenge.${identifier.value}`, answer, signal))
      challenges.push(challenge)
    }
    if (by === 'dns-01' && challenges.length > 0 && this.#options.settings.dnsWaitMs > 0) {
      await this.#options.sleep(this.#options.settings.dnsWaitMs, signal)
    }
    for (const challenge of challenges) {
      await client.completeChallenge(challenge)
      await client.waitForValidStatus(challenge)
    }
  }

  /** Gives the answer to a challenge where the authority looks for it. Returns what takes it back. */
  async #answer(
    { type, token }: Challenge,
    record: string,
    answer: string,
    signal: AbortSignal,
  ): Promise<() => unknown> {
    const { folder, settings } = this.#options
    if (type === 'http-01') {
      folder.answerChallenge(token, answer)
      return () => folder.forgetChallenge(token)
    }
    const { dnsHook = '' } = settings
    await runDnsHook(dnsHook, ['add', record, answer], signal)
    // What cannot be removed does no harm: its value is good for one order.
    return () => runDnsHook(dnsHook, ['remove', record, answer], signal).catch(() => undefined)
  }

  #explained(error: unknown): Error {
    const { message } = error as Error
    if (this.#retryAfter !== undefined) {
      const seconds =
        Number(this.#retryAfter) || (Date.parse(this.#retryAfter) - this.#options.now()) / 1000 || 3600
      return new TooManyOrders(message, this.#options.now() + seconds * 1000)
    }
    // How acme-client fails when there is no answer at all.
    if (error instanceof TypeError) return new Error('The authority closed the connection without an answer.')
    return error as Error
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
