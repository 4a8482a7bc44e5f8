import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import type { Clock } from '../../src/clock.ts'
import type { SsoSettings } from './settings.ts'

export type TokenFault = 'unknown-key' | 'clock' | 'refused'

/**
 * Verifies single sign-on tokens; the only caller of jose here. A key newer than this instance is fetched, at most
 * twice a minute. Returns the token's id and its owner, or why it is refused.
 */
export function tokenVerifier(options: { sso: SsoSettings; instanceId: string; clock: Clock }) {
  const { sso, instanceId, clock } = options
  const given = createLocalJWKSet(sso.keys as JSONWebKeySet)
  const published = createRemoteJWKSet(new URL('/.well-known/jwks.json', sso.issuer), {
    timeoutDuration: 5000,
    cooldownDuration: 30_000,
    [customFetch]: fetchFromLoopback,
  })
  return async (
    token: string,
    nonce: string,
  ): Promise<{ jti: string; email: string } | { fault: TokenFault; cause: unknown }> => {
    try {
      const { payload } = await jwtVerify(
        token,
        async (header, input) => {
          try {
            return await given(header, input)
          } catch (error) {
            if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
            return published(header, input)
          }
        },
        {
          issuer: sso.issuer,
          audience: instanceId,
          algorithms: ['EdDSA'],
          maxTokenAge: 60,
          clockTolerance: 30,
          currentDate: new Date(clock.now()),
          requiredClaims: ['sub', 'email', 'nonce', 'jti', 'exp'],
        },
      )
      if (payload.nonce !== nonce || typeof payload.jti !== 'string' || payload.jti.length > 100) {
        return { fault: 'refused', cause: new Error('the token is for another browser') }
      }
      const { email } = payload
      if (typeof email !== 'string' || email.length > 320) {
        return { fault: 'refused', cause: new Error('the token names no account') }
      }
      return { jti: payload.jti, email }
    } catch (cause) {
      return { fault: faultOf(cause), cause }
    }
  }
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return 'clock'
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim === 'iat' ? 'clock' : 'refused'
  if (error instanceof errors.JWKSNoMatchingKey) return 'unknown-key'
  return error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)
    ? 'refused'
    : 'unknown-key'
}

/** Names below `localhost` are this machine by definition (RFC 6761), but many resolvers do not know them. */
const fetchFromLoopback: FetchImplementation = (url, { headers, signal }) => {
  const { protocol, hostname } = new URL(url)
  if (!hostname.endsWith('.localhost')) return fetch(url, { headers, signal, redirect: 'manual' })
  const send = protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const asked = send(
      url,
      {
        headers: Object.fromEntries(headers),
        signal,
        hostname: '127.0.0.1',
        servername: hostname,
        setHost: false,
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 500 })),
        )
      },
    )
    asked.setHeader('Host', new URL(url).host)
    asked.on('error', reject)
    asked.end()
  })
}
