import type { Child } from 'hono/jsx'
import { type Brand, Branded, SupportLink, useBrand } from '../brand.tsx'

/** An email to an owner: one source for its HTML and its plain text. */
export interface Email {
  subject: string
  /** Made only of the components below: `emailText` knows no others. */
  body: ReturnType<typeof EmailLayout>
}

const paragraph = 'margin:0 0 16px'
const small = 'margin:24px 0 0;font-size:13px;color:#5b6470'

/**
 * The layout of every email. Styles are inline because mail programs load no stylesheet of ours. `why` tells the reader why
 * they receive it.
 */
export function EmailLayout({ title, why, children }: { title: string; why?: string; children: Child }) {
  const { name, support } = useBrand()
  return (
    <html lang="en">
      <body style="margin:0;padding:24px;background:#ffffff;color:#1c2127;font:16px/1.5 system-ui,sans-serif">
        <div style="max-width:560px;margin:0 auto">
          <p style="margin:0 0 24px;font-size:14px;font-weight:600;color:#5b6470">{name}</p>
          <h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{title}</h1>
          {children}
          <p style={small}>{why ?? `You receive this email because you have an instance at ${name}.`}</p>
          {support ? (
            <p style="margin:4px 0 0;font-size:13px;color:#5b6470">
              Help: <SupportLink />
            </p>
          ) : null}
        </div>
      </body>
    </html>
  )
}

export function Paragraph({ children }: { children: Child }) {
  return <p style={paragraph}>{children}</p>
}

/** The button. In plain text: its label and the address. */
export function Action({ href, children }: { href: string; children: string }) {
  const { colours } = useBrand()
  const background = colours?.accent[0] ?? '#1f5f8b'
  return (
    <p style={paragraph}>
      <a
        href={href}
        style={`display:inline-block;padding:8px 16px;border-radius:6px;background:${background};color:#ffffff;text-decoration:none`}
      >
        {children}
      </a>
    </p>
  )
}

/** A list of dates with what happens on each. */
export function Dates({ of }: { of: readonly { at: number; what: string }[] }) {
  return (
    <ul style="margin:0 0 16px;padding-left:20px">
      {of.map(({ at, what }) => (
        <li>{`${dayWords(at)}: ${what}`}</li>
      ))}
    </ul>
  )
}

/** A day in UTC: `22 November 2026`. */
export function dayWords(at: number): string {
  return days.format(at)
}
const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' })

export function emailHtml({ body }: Email, brand: Brand): string {
  return `<!doctype html>${render(body, brand)}`
}

/** The same words as plain text, for mail programs that show no HTML. */
export function emailText({ body }: Email, brand: Brand): string {
  return render(body, brand)
    .replace(/<a href="([^"]*)"[^>]*>(.*?)<\/a>/gs, (_, href: string, words) =>
      words === href || `mailto:${words}` === href ? words : `${words}: ${href}`,
    )
    .replace(/<li>/g, '- ')
    .replace(/<\/li>/g, '\n')
    .replace(/<\/(h1|p|ul)>/g, '\n\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: keyof typeof entities) => entities[name])
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" } as const

function render(body: Email['body'], brand: Brand): string {
  const branded = <Branded brand={brand}>{body}</Branded>
  const html: unknown = branded.toString()
  // Only an asynchronous component renders to a promise, and these components are not.
  if (branded instanceof Promise || typeof html !== 'string') throw new Error('an email must render at once')
  return html
}
