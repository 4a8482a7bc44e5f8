import type { Role } from '../../src/http/route.ts'

/** A person who operates this site. Times are milliseconds since the epoch. */
export interface Operator {
  id: string
  name: string
  /** In lower case. */
  email: string
  role: Role
  createdAt: number
  /** Who invited them, in words. */
  createdBy: string
  /** When they first accepted an invitation; null until then. */
  joinedAt: number | null
  lastSignInAt: number | null
  /** Until when the invitation at hand can be accepted; null without one. */
  invitedUntil: number | null
  hasPassword: boolean
  /** Whether an app shows codes for them (TOTP, RFC 6238). */
  hasApp: boolean
  passkeys: number
  /** Whether they sign in with the provider. */
  hasProvider: boolean
  /** How many recovery codes they have left. */
  recoveryCodes: number
  /** An address that waits to be proven by the email that was sent to it, and until when; null without one. */
  newEmail: { email: string; until: number } | null
}

/** A passkey of an operator. */
export interface Passkey {
  id: string
  name: string
  createdAt: number
  lastUsedAt: number | null
}

/** What an app needs to show codes: as text, as an address, and as a QR code. */
export interface AppSecret {
  /** In base 32. */
  secret: string
  /** `otpauth://totp/…` */
  uri: string
  qr: { size: number; path: string }
}
