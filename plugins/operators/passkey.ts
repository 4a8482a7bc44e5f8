import { asc, eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import { Problem } from '../../src/http/problem.ts'
import type { RoundTrip } from '../../src/http/round-trip.ts'
import type { AppContext } from '../../src/http/route.ts'
import { signInOver } from '../auth/contract.ts'
import type { OperatorBook } from './book.ts'
import type { Passkey } from './contract.ts'
import type { OperatorRow, OperatorsDb } from './operator.ts'
import { passkeyRefused } from './problems.ts'
import { passkeys } from './schema.ts'

/** Loaded with the first passkey: most control planes have none, and it is 200 files. */
const library = () => import('@simplewebauthn/server')

const usedForMs = 10 * 60_000

/**
 * Passkeys (WebAuthn); the only caller of @simplewebauthn/server. Each verifies its person by itself, by a fingerprint or a
 * PIN, so that it signs in alone. `trip` binds a challenge to the browser that asked for it.
 */
export function createPasskeys(parts: {
  db: OperatorsDb
  book: OperatorBook
  clock: Clock
  trip: RoundTrip
  site: { name: string; host: string; origin(): string }
}) {
  const { db, book, clock, trip, site } = parts
  /** Challenges that were answered, until they expire: none is answered twice. */
  const used = new Map<string, number>()

  const challengeOf = (c: AppContext): string => {
    const challenge = trip.end(c)?.derive('challenge')
    const now = clock.monotonic()
    for (const [each, at] of used) if (at <= now - usedForMs) used.delete(each)
    if (challenge === undefined || used.has(challenge))
      throw signInOver(
        'The passkey was not asked for in this browser, was used already, or took more than ten minutes. Nothing was changed. Try again.',
      )
    return challenge
  }
  const expected = (challenge: string) => ({
    ...{ expectedChallenge: challenge, expectedOrigin: site.origin(), expectedRPID: site.host },
    requireUserVerification: true,
  })
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))
  const newChallenge = (c: AppContext) => bytes(trip.begin(c, undefined)('challenge'))
  const of = (operatorId: string) =>
    db
      .select()
      .from(passkeys)
      .where(eq(passkeys.operatorId, operatorId))
      .orderBy(asc(passkeys.createdAt))
      .all()

  return {
    list: (operatorId: string): Passkey[] =>
      of(operatorId).map(({ id, name, createdAt, lastUsedAt }) => ({ id, name, createdAt, lastUsedAt })),

    /** What the browser needs to make one for an operator. */
    makingOptions: async (c: AppContext, { id, name, email }: OperatorRow) => {
      const { generateRegistrationOptions } = await library()
      return generateRegistrationOptions({
        ...{ rpName: site.name, rpID: site.host, challenge: newChallenge(c), attestationType: 'none' },
        ...{ userID: new Uint8Array(Buffer.from(id)), userName: email, userDisplayName: name },
        excludeCredentials: of(id).map(({ id, transports }) => ({ id, transports })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
    },

    /** Verifies one that the browser made. Returns what stores it, for the caller's transaction. Throws a Problem. */
    made: async (
      c: AppContext,
      row: OperatorRow,
      { credential, name }: { credential: string; name: string },
    ) => {
      const challenge = challengeOf(c)
      const { verifyRegistrationResponse } = await library()
      const { registrationInfo } = await verifyRegistrationResponse({
        ...expected(challenge),
        response: parsed(credential),
      }).catch(refuse)
      if (!registrationInfo) throw refused()
      used.set(challenge, clock.monotonic())
      const { id, publicKey, counter, transports = [] } = registrationInfo.credential
      return () => {
        const { changes } = db
          .insert(passkeys)
          .values({
            ...{ id, name, counter, transports, operatorId: row.id, createdAt: clock.now() },
            publicKey: Buffer.from(publicKey),
          })
          .onConflictDoNothing()
          .run()
        if (changes === 0)
          throw passkeyRefused(
            'This passkey is registered already, for you or for another operator. Nothing was changed. Make a new one.',
          )
      }
    },

    /** What the browser needs to sign in with any passkey that it has for this site. */
    signInOptions: async (c: AppContext) => {
      const { generateAuthenticationOptions } = await library()
      return generateAuthenticationOptions({
        ...{ rpID: site.host, challenge: newChallenge(c), userVerification: 'required' },
      })
    },

    ownerOf: (credential: string) => ownerOf(db, credential),

    /** The operator whose passkey answered. Throws a Problem. */
    answered: async (c: AppContext, credential: string): Promise<OperatorRow> => {
      const challenge = challengeOf(c)
      const response = parsed<'use'>(credential)
      const found = db.select().from(passkeys).where(eq(passkeys.id, response.id)).get()
      const row = found && book.joined(found.operatorId)
      if (!found || !row) throw unknown()
      const { verifyAuthenticationResponse } = await library()
      const { id, publicKey, counter, transports } = found
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        ...{ ...expected(challenge), response },
        credential: { id, publicKey: new Uint8Array(publicKey), counter, transports },
      }).catch(refuse)
      if (!verified || used.has(challenge)) throw refused()
      used.set(challenge, clock.monotonic())
      const { changes } = db
        .update(passkeys)
        .set({ counter: authenticationInfo.newCounter, lastUsedAt: clock.now() })
        .where(eq(passkeys.id, id))
        .run()
      // The passkey or its operator may have been removed while it was verified.
      const now = changes === 0 ? null : book.joined(row.id)
      if (!now) throw unknown()
      return now
    },

    remove: (row: OperatorRow, { id, name }: Passkey) =>
      book.changeSignIn(row, `passkey “${name}” removed`, () => {
        db.delete(passkeys).where(eq(passkeys.id, id)).run()
      }),
  }
}
export type PasskeyDesk = ReturnType<typeof createPasskeys>

/** The id of the operator for whom a passkey claims to answer; undefined for no one. Nothing is verified. */
function ownerOf(db: OperatorsDb, credential: string): string | undefined {
  try {
    const { id } = parsed<'use'>(credential)
    return db.select().from(passkeys).where(eq(passkeys.id, id)).get()?.operatorId
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

type Library = Awaited<ReturnType<typeof library>>
interface Responses {
  make: Parameters<Library['verifyRegistrationResponse']>[0]['response']
  use: Parameters<Library['verifyAuthenticationResponse']>[0]['response']
}

/** The answer of an authenticator, as the browser wrote it. What is in it is for the library to check. */
function parsed<Use extends keyof Responses = 'make'>(credential: string): Responses[Use] {
  let value: unknown
  try {
    value = JSON.parse(credential)
  } catch {
    throw refused()
  }
  const { id, response } = (value ?? {}) as { id?: unknown; response?: unknown }
  if (typeof id !== 'string' || typeof response !== 'object' || response === null) throw refused()
  return value as Responses[Use]
}

const unknown = () =>
  passkeyRefused(
    'No operator of this site has this passkey. It may have been removed. Sign in in another way.',
  )

function refused(cause?: unknown) {
  return passkeyRefused(
    'The passkey’s answer does not belong to this site or to this sign-in. Nothing was changed. Try again.',
    { cause },
  )
}

function refuse(cause: unknown): never {
  throw refused(cause)
}
