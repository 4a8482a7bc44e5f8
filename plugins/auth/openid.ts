import * as openid from 'openid-client'
import type { Clock } from '../../src/clock.ts'
import { isLoopback } from '../../src/http/address.ts'
import type { Problem } from '../../src/http/problem.ts'
import { type Identity, signInOver } from './contract.ts'
import { type EmailTrust, google, type OpenIdSettings } from './openid-config.ts'
import {
  clocksDiffer,
  emailUnverified,
  providerDown,
  providerMisconfigured,
  signInDenied,
  signInRefused,
} from './problems.ts'

/** What binds one sign-in to the browser that began it. */
export interface SignInProof {
  state: string
  nonce: string
  /** The PKCE code verifier (RFC 7636). */
  verifier: string
}

export interface OpenIdProvider {
  /** Its name, for people. */
  name: string
  /** The origins of its pages, as far as known. */
  origins(): readonly string[]
  /** Fetches the provider's metadata, unless it was fetched within the hour. Throws `provider-down`. */
  discover(): Promise<void>
  /** The provider's sign-in page for one sign-in. */
  signInPage(proof: SignInProof, redirectUri: string): Promise<URL>
  /**
   * Redeems the callback URL, and validates state, nonce, PKCE, issuer, audience, expiry, signature and that the email
   * address is verified. Throws a Problem that says what to do.
   */
  redeem(callback: URL, proof: SignInProof): Promise<Identity>
}

const timeoutSeconds = 10
const discoveredForMs = 3_600_000
/** How far the provider's clock and ours may differ. */
const toleranceSeconds = 60

/** Owners' sign-in with an OpenID provider; the only caller of openid-client. */
export function openIdProvider(settings: OpenIdSettings, clock: Clock): OpenIdProvider {
  const { issuer, clientId, clientSecret, name, emailTrust } = settings
  let known: { config: openid.Configuration; at: number } | null = null

  const discovered = async (): Promise<openid.Configuration> => {
    if (known && clock.monotonic() < known.at + discoveredForMs) return known.config
    const metadata = {
      client_secret: clientSecret,
      [openid.clockTolerance]: toleranceSeconds,
      // How far our clock is ahead of the machine's: 0 except in tests.
      [openid.clockSkew]: Math.round((clock.now() - Date.now()) / 1000),
    }
    try {
      const config = await openid.discovery(new URL(issuer), clientId, metadata, undefined, {
        timeout: timeoutSeconds,
        // A token that arrives by TLS from the provider need not be verified. We verify it all the same.
        execute: [
          openid.enableNonRepudiationChecks,
          ...(isLoopback(new URL(issuer).hostname) ? [openid.allowInsecureRequests] : []),
        ],
      })
      known = { config, at: clock.monotonic() }
    } catch (cause) {
      // Earlier metadata stays valid while the provider cannot be reached.
      if (known) return known.config
      throw misconfigured(settings, cause) ?? unreachable(name, cause)
    }
    return known.config
  }

  /** Asks for the account chooser where the provider supports it, for people who signed out or used the wrong address. */
  const choosing = async (): Promise<{ prompt?: string }> => {
    const { prompt_values_supported: prompts } = (await discovered()).serverMetadata()
    const supported = Array.isArray(prompts) && prompts.includes('select_account')
    // Google supports it without listing it.
    return supported || issuer === google ? { prompt: 'select_account' } : {}
  }

  return {
    name,
    origins: () => {
      const page = known?.config.serverMetadata().authorization_endpoint
      return [...new Set([issuer, ...(page ? [page] : [])].map(url => new URL(url).origin))]
    },
    discover: async () => {
      await discovered()
    },
    signInPage: async ({ state, nonce, verifier }, redirectUri) =>
      openid.buildAuthorizationUrl(await discovered(), {
        redirect_uri: redirectUri,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(await choosing()),
      }),
    redeem: async (callback, { state, nonce, verifier }) => {
      const config = await discovered()
      try {
        const tokens = await openid.authorizationCodeGrant(config, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
        })
        const claims = tokens.claims()
        if (!claims) throw signInRefused(`${name} sent no ID token. ${again}`)
        return identity({ name, emailTrust }, claims, await complete(config, claims, tokens.access_token))
      } catch (error) {
        throw problemOf(settings, error)
      }
    },
  }
}

/** Completes the claims from the userinfo endpoint, where some providers put the email address. The ID token takes precedence. */
async function complete(
  config: openid.Configuration,
  claims: openid.IDToken,
  accessToken: string,
): Promise<Claims> {
  const whole = claims.email !== undefined && claims.email_verified !== undefined
  if (whole || !config.serverMetadata().userinfo_endpoint) return claims
  const userInfo = await openid.fetchUserInfo(config, accessToken, claims.sub)
  // Claims about a different address say nothing about this one.
  if (claims.email !== undefined && userInfo.email !== claims.email) return claims
  return { ...userInfo, ...claims }
}

const again = 'Nothing was changed. Start again from the sign-in page.'

type Claims = Readonly<Record<string, unknown>>

function identity(
  { name, emailTrust }: Pick<OpenIdSettings, 'name' | 'emailTrust'>,
  claims: { iss: string; sub: string },
  complete: Claims,
): Identity {
  const { email, email_verified: verified } = complete
  if (typeof email !== 'string' || email.length > 254 || !/^[^@\s]+@[^@\s]+$/.test(email)) {
    throw emailUnverified(
      `${name} sent no email address. Add one to your ${name} account, or allow us to see it, and sign in again. No account was created or changed.`,
    )
  }
  // Some providers send it as a string.
  const stated = verified === true || verified === 'true' ? true : verified === undefined ? null : false
  if (!isTrusted(stated, emailTrust)) {
    throw stated === null
      ? emailUnverified(
          `${name} does not say whether ${email} is verified (the claim email_verified is missing). Only the operator of this site can change that: see OPENID_EMAIL_TRUST in the guide. No account was created or changed. After that, sign in again.`,
        )
      : emailUnverified(
          `${name} says that ${email} is not verified. Verify the address with ${name}, then sign in again. If it is verified there already, ask the operator to check OPENID_EMAIL_TRUST in the guide. No account was created or changed.`,
        )
  }
  const called = typeof complete.name === 'string' ? complete.name.trim().slice(0, 200) : ''
  return { issuer: claims.iss, subject: claims.sub, email, name: called || null }
}

function isTrusted(stated: boolean | null, trust: EmailTrust): boolean {
  return stated === true || trust === 'any' || (trust === 'unstated' && stated === null)
}

/** Turns every failure of a sign-in into a Problem for the person who sees it. The cause stays in the log. */
function problemOf(settings: OpenIdSettings, error: unknown): unknown {
  const { name } = settings
  if (error instanceof openid.AuthorizationResponseError) {
    return error.error === 'access_denied'
      ? signInDenied(
          `You or ${name} cancelled the sign-in, so no account was created or changed. To continue, sign in again and agree.`,
          { cause: error },
        )
      : signInRefused(`${name} refused: ${plain(error.error)}. ${again}`, { cause: error })
  }
  if (error instanceof openid.ResponseBodyError) {
    return error.error === 'invalid_grant'
      ? signInOver(`The sign-in was already used or took too long. ${again}`, { cause: error })
      : providerDown(
          `${name} does not accept this site: ${plain(error.error)}. Tell the operator. Nothing was changed.`,
          { cause: error },
        )
  }
  if (!(error instanceof openid.ClientError)) return isProblem(error) ? error : unreachable(name, error)
  if (error.code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') {
    return clocksDiffer(
      `The clocks of ${name} and of this server differ by more than a minute, so the sign-in cannot be verified. Nothing was changed. Tell the operator to set the server’s clock.`,
      { cause: error },
    )
  }
  const mistake = misconfigured(settings, error)
  if (mistake) return mistake
  if (isFarAway(error)) return unreachable(name, error)
  return signInRefused(`The answer from ${name} does not belong to this sign-in. ${again}`, { cause: error })
}

/** Whether nothing answered, or something that is not an OpenID provider at the moment. */
function isFarAway({ code, cause }: openid.ClientError): boolean {
  const answered = [
    'OAUTH_RESPONSE_IS_NOT_CONFORM',
    'OAUTH_RESPONSE_IS_NOT_JSON',
    'OAUTH_TIMEOUT',
    'OAUTH_ABORT',
  ]
  return answered.includes(code ?? '') || (code === undefined && cause instanceof TypeError)
}

/**
 * A failure that only a change of our settings can fix: the provider has another issuer than the one set, or there is no
 * provider at the address. Null for everything else.
 */
function misconfigured({ name, issuer }: OpenIdSettings, error: unknown): Problem | null {
  if (!(error instanceof openid.ClientError)) return null
  const problem = (what: string) =>
    providerMisconfigured(
      `${what} Owners cannot sign in until the operator corrects OPENID_ISSUER. Nothing was changed, and every instance keeps running.`,
      { cause: error },
    )
  const { cause } = error
  const otherIssuer =
    error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'
      ? fieldOf(fieldOf(cause, 'body'), 'issuer')
      : error.code === 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' && fieldOf(cause, 'claim') === 'iss'
        ? fieldOf(fieldOf(cause, 'claims'), 'iss')
        : undefined
  if (typeof otherIssuer === 'string') {
    return problem(
      `${name} calls itself ${otherIssuer.slice(0, 200)}, but OPENID_ISSUER is ${issuer}. The two must match exactly, including a trailing slash.`,
    )
  }
  if (error.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' && cause instanceof Response && cause.status === 404) {
    return problem(`Nothing describes an OpenID provider below ${issuer} (the answer was 404).`)
  }
  return null
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Claims)[name] : undefined
}

function unreachable(name: string, cause: unknown): Problem {
  return providerDown(
    `${name} could not be reached, so new sign-ins do not work at the moment. Existing sessions stay signed in, and every instance keeps running. Try again in a minute.`,
    { headers: { 'Retry-After': '60' }, cause },
  )
}

function isProblem(error: unknown): boolean {
  return error instanceof Error && error.name === 'Problem'
}

/** An error code of the protocol. Anything else may have been written by the author of a link, and is not shown. */
function plain(code: string): string {
  return /^[a-z_]{1,40}$/.test(code) ? code : 'no reason that can be shown'
}
