/** One line of a notice. */
export interface NoticeLine {
  id: string
  kind: string
  subdomain: string | null
  summary: string
  detail: string
  since: number
  /** The page about it. */
  url: string
}

/** What operators are notified of: everything of one round together. */
export interface Notice {
  type: 'alerts' | 'test'
  at: number
  /** The control plane’s address. */
  site: string
  opened: NoticeLine[]
  reminded: NoticeLine[]
  recovered: NoticeLine[]
}
