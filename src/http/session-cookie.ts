import { createHash, randomBytes } from 'node:crypto'
import { getCookie, setCookie } from 'hono/cookie'
import type { AppContext } from './route.ts'

/**
 * The cookie with a session's secret. Over HTTPS it has the `__Host-` prefix, which no sibling subdomain can set;
 * over plain HTTP (a laptop) browsers would refuse that name. `kind` distinguishes the cookies of one host.
 */
export function sessionCookie(options: { https: boolean; kind?: CookieKind }) {
  const name = sessionCookieName(options.https, options.kind)
  const attributes = { path: '/', httpOnly: true, sameSite: 'Lax', secure: options.https } as const
  return {
    read: (c: AppContext): string | undefined => getCookie(c, name),
    write: (c: AppContext, secret: string, maxAgeSeconds: number): void =>
      setCookie(c, name, secret, { ...attributes, maxAge: maxAgeSeconds }),
    clear: (c: AppContext): void => setCookie(c, name, '', { ...attributes, maxAge: 0 }),
  }
}

/**
 * The kind of session: the operator's or an instance's `session`, an owner's `account`, or a sign-in in progress: an owner's
 * with the provider (`sign_in`), an operator's with the provider, between two steps or with a passkey (`operator_sign_in`,
 * `step`, `passkey`), the link of an operator to the provider (`operator_link`), or with the control plane (`sso`); `browser` recognises one that signed in before.
 */
export type CookieKind =
  | 'account'
  | 'sign_in'
  | 'operator_sign_in'
  | 'operator_link'
  | 'step'
  | 'passkey'
  | (typeof instanceCookieKinds)[number]
  | (typeof edgeCookieKinds)[number]

/** The cookies of an instance: the edge drops all others. */
export const instanceCookieKinds = ['session', 'sso', 'browser'] as const

/** The cookies of the edge on an instance's host: no instance sees or sets them. */
export const edgeCookieKinds = ['gate', 'gate_state'] as const

export function sessionCookieName(https: boolean, kind: CookieKind = 'session'): string {
  return `${https ? '__Host-' : ''}longhouse_${kind}`
}

export type SessionCookie = ReturnType<typeof sessionCookie>

/** 256 random bits, for a browser or a script. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** The stored form of a secret: enough to recognise it, useless to a reader of the database. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
