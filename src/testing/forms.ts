import type { Hono } from 'hono'
import type { AppEnv } from '../http/route.ts'

export interface RenderedForm {
  /** The page that contains the form. */
  page: string
  action: string
  /** A form with the fields that a browser would send. */
  fields: Record<string, string>
}

/** The most pages in one walk; a site with more of them repeats itself. */
const most = 500

/**
 * Finds every form that changes something, by walking from page to page as a browser with these headers; one per page
 * and action. Also returns the pages.
 */
export async function walkForms(
  app: Hono<AppEnv>,
  options: {
    host: string
    start: readonly string[]
    headers: Record<string, string>
    /** Called with each page. */
    onPage?: (page: string, html: string) => void
  },
): Promise<{ forms: RenderedForm[]; pages: string[] }> {
  const { host, start, headers } = options
  const forms = new Map<string, RenderedForm>()
  const seen = new Set<string>(start)
  for (const page of seen) {
    if (seen.size > most) break
    const reply = await app.request(`http://${host}${page}`, { headers: { Accept: 'text/html', ...headers } })
    const led = reply.headers.get('location')
    for (const next of [led ?? '']) if (isLocal(next)) seen.add(next)
    if (!reply.headers.get('content-type')?.startsWith('text/html')) {
      await reply.body?.cancel()
      continue
    }
    const html = await reply.text()
    options.onPage?.(page, html)
    for (const [, href = ''] of html.matchAll(/<a [^>]*?href="([^"#]*)/g))
      if (isLocal(href)) seen.add(plain(href))
    for (const [, head = '', inner = ''] of html.matchAll(/<form ([^>]*)>(.*?)<\/form>/gs)) {
      if (!/method="post"/.test(head)) continue
      const action = plain(/action="([^"]*)"/.exec(head)?.[1] ?? page)
      forms.set(`${page} ${action}`, { page, action, fields: fieldsOf(inner) })
    }
  }
  return { forms: [...forms.values()], pages: [...seen] }
}

function fieldsOf(html: string): Record<string, string> {
  const inputs = [...html.matchAll(/<(?:input|textarea|select|button) ([^>]*)>/g)].map(
    ([, head = '']) => head,
  )
  return Object.fromEntries(
    inputs.flatMap(head => {
      const name = /\bname="([^"]*)"/.exec(head)?.[1]
      return name ? [[name, plain(/\bvalue="([^"]*)"/.exec(head)?.[1] ?? '')]] : []
    }),
  )
}

const isLocal = (href: string) => /^\/(?!\/)/.test(href)
const plain = (text: string) =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")

/** The headers that a browser sends with a form of another site. */
export const foreignPages: readonly Record<string, string>[] = [
  { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' },
  { 'Sec-Fetch-Site': 'same-site', Origin: 'http://tenant.localhost' },
  { Origin: 'https://evil.example' },
  { Origin: 'null' },
]

/** Sends a form; returns true if it was refused because of its origin. */
export async function isRefused(
  app: Hono<AppEnv>,
  options: {
    host: string
    method?: string
    path: string
    fields?: Record<string, string>
    headers: Record<string, string>
  },
): Promise<boolean> {
  const { host, method = 'POST', path, fields = {}, headers } = options
  const reply = await app.request(`http://${host}${path}`, {
    method,
    headers: { Accept: 'application/json', Host: host, ...headers },
    body: new URLSearchParams(fields),
  })
  const text = reply.headers.get('content-type')?.includes('json') ? await reply.text() : ''
  if (text === '') await reply.body?.cancel()
  return reply.status === 403 && /cross-site/.test(text)
}

/**
 * Sends these forms as another site would, from each kind of site, with the headers of a person who is signed in.
 * Returns the routes that they lead to, and the faults: a form that leads nowhere, or was accepted.
 */
export async function sendFromElsewhere(
  app: Hono<AppEnv>,
  forms: readonly RenderedForm[],
  options: { host: string; headers: Record<string, string>; routeOf(action: string): string | undefined },
): Promise<{ routes: string[]; faults: string[] }> {
  const { host, headers, routeOf } = options
  const routes: string[] = []
  const faults: string[] = []
  for (const { page, action, fields } of forms) {
    const route = routeOf(action)
    if (route === undefined) faults.push(`${page}: a form leads to ${action}, where nothing is`)
    else routes.push(route)
    for (const foreign of foreignPages) {
      const sent = { host, path: action, fields, headers: { ...headers, ...foreign } }
      if (await isRefused(app, sent)) continue
      faults.push(`${page}: ${action} was taken from ${JSON.stringify(foreign)}`)
    }
  }
  return { routes, faults }
}

/**
 * Returns fields of these forms that their routes do not accept, each as `page: action: field`. Every form is sent
 * with one extra field, so that each is refused and nothing changes; leave out routes that accept any field.
 */
export async function strayFields(
  app: Hono<AppEnv>,
  forms: readonly RenderedForm[],
  options: { host: string; headers: Record<string, string> },
): Promise<string[]> {
  const stray: string[] = []
  for (const { page, action, fields } of forms) {
    const reply = await app.request(`http://${options.host}${action}`, {
      method: 'POST',
      headers: { Accept: 'application/json', Host: options.host, ...options.headers },
      body: new URLSearchParams({ ...fields, [oneTooMany]: '' }),
    })
    const { errors = [] } = (await reply.json().catch(() => ({}))) as {
      errors?: { path: string; message: string }[]
    }
    const unknown = errors.filter(({ message }) => message.startsWith('is not a field here'))
    if (!unknown.some(({ path }) => path === oneTooMany))
      stray.push(`${page}: ${action} answers ${reply.status} and takes any field`)
    for (const { path } of unknown) if (path !== oneTooMany) stray.push(`${page}: ${action}: ${path}`)
  }
  return stray
}

const oneTooMany = 'one_field_too_many'
