import type { Child } from 'hono/jsx'
import { Mark, type Shape, type Tone } from './mark.tsx'

/** True for content that renders something; an element may be a promise, which is always truthy. */
const given = (child: Child): boolean => child !== undefined && child !== null && child !== false

/** A titled part of a page. With `flush` its content reaches the edges, for tables. */
export function Panel(props: {
  title?: string
  aside?: Child
  flush?: boolean
  id?: string
  children: Child
}) {
  const { title, aside, flush, id, children } = props
  return (
    <section class="panel" id={id}>
      {title ? (
        <div class="panel-head">
          <h2>{title}</h2>
          {given(aside) ? <div class="fine">{aside}</div> : null}
        </div>
      ) : null}
      {flush ? children : <div class="panel-body">{children}</div>}
    </section>
  )
}

/** The top of a page: breadcrumb, title, status and actions. */
export function PageHead(props: {
  title: Child
  crumb?: { href: string; label: string }
  /** Beside the title: badges. */
  status?: Child
  lead?: Child
  actions?: Child
}) {
  const { title, crumb, status, lead, actions } = props
  return (
    <div class="page-head">
      <div>
        {crumb ? (
          <a class="crumb" href={crumb.href}>
            ← {crumb.label}
          </a>
        ) : null}
        <div class="title-line">
          <h1>{title}</h1>
          {status}
        </div>
        {given(lead) ? <p class="lead">{lead}</p> : null}
      </div>
      {given(actions) ? <div class="actions">{actions}</div> : null}
    </div>
  )
}

const shapes: Record<Tone, Shape> = {
  ok: 'check',
  busy: 'turning',
  warn: 'triangle',
  bad: 'cross',
  idle: 'ring',
}

/** A message about the whole page. Screen readers announce bad ones at once. */
export function Notice({ tone, title, children }: { tone: Tone; title?: Child; children?: Child }) {
  return (
    <div class={`notice tone-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Mark shape={shapes[tone]} size={14} />
      <div>
        {given(title) ? <h2>{title}</h2> : null}
        {children}
      </div>
    </div>
  )
}

/** Replaces an empty list, and says how to fill it. */
export function EmptyState({ title, children, action }: { title: string; children?: Child; action?: Child }) {
  return (
    <div class="empty">
      <svg width="56" height="44" viewBox="0 0 56 44" fill="none" stroke="currentColor" aria-hidden="true">
        <path d="M4 22 28 5l24 17v17H4Z" stroke-width="1.5" stroke-dasharray="4 3" />
        <path d="M23 39V28h10v11" stroke-width="1.5" />
      </svg>
      <h2>{title}</h2>
      {children}
      {action}
    </div>
  )
}

/** Names with their values. Null and undefined values are left out. */
export function Facts({ of }: { of: Readonly<Record<string, Child>> }) {
  return (
    <dl class="facts">
      {Object.entries(of)
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </dl>
  )
}
