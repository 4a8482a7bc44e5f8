/**
 * Something that the operator should know of or act on. A plugin lists it for as long as it is so: nothing is lost when it is
 * not read, and it is over when it is no longer listed.
 */
export interface Concern {
  /** What kind it is, such as `instance-failed`. */
  kind: string
  /** What it is about, as an id that stays: an instance’s id, a check’s name. Unique within its kind. */
  subject: string
  /** The instance that it is about, if any. */
  subdomain: string | null
  /** One line in words for the operator. */
  summary: string
  /** Why, or what to do; '' for nothing. */
  detail: string
  /** Whether the operator is alerted, or only sees it when they look. */
  urgency: 'alert' | 'notice'
  /** The control plane’s page about it. */
  path: string
}
