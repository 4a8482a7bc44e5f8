import { raw } from 'hono/html'
import { type Brand, colourTokens, logoWidth } from '../brand.tsx'

export interface RefusalPageProps {
  brand: Brand
  title: string
  detail: string
  /** Seconds after which the page loads itself again; 0 when there is nothing to wait for. */
  refresh: number
  /** What the person can do. */
  links?: readonly { href: string; label: string }[]
  /** What became of the data of a form. */
  sent?: string | null
  /** The id of the request, by which the operator finds it. */
  reference?: string | null
}

const style = `:root{color-scheme:light dark;--page:light-dark(#fbfaf8,#1a1917);--text:light-dark(#23211d,#ece8e1);--soft:light-dark(#5d5850,#aaa397);--line:light-dark(#ddd8cf,#3a3732);--accent:light-dark(#8a4a12,#e5a463)}
body{margin:0;min-height:100vh;display:grid;grid-template-rows:1fr auto 1.6fr;background:var(--page);color:var(--text);font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
main{grid-row:2;box-sizing:border-box;width:min(34rem,100%);margin:0 auto;padding:1.5rem}
.brand{display:flex;align-items:center;gap:.6rem;margin:0 0 1.5rem;padding-bottom:.9rem;border-bottom:1px solid var(--line);font-weight:600}
.brand img,.brand svg{flex:none;max-width:60%;object-fit:contain}
h1{margin:0 0 .4rem;font-size:1.3rem;line-height:1.3}
p{margin:0 0 .7rem}
a{color:var(--accent)}
.links{display:flex;flex-wrap:wrap;gap:.4rem 1.4rem;margin-top:1rem;font-weight:550}
.fine{margin:1.4rem 0 0;color:var(--soft);font-size:.875rem}
.fine+.fine{margin-top:.2rem}
code{font:.95em ui-monospace,monospace}`

/** The whole style, in the page itself: it is shown on hosts whose other addresses belong to a customer. */
export function refusalStyle({ colours }: Brand): string {
  return colours ? `${style}\n:root{${colourTokens(colours)}}` : style
}

/** What people see on an instance's address while the instance cannot answer. Complete without style or script. */
export function RefusalPage(props: RefusalPageProps) {
  const { brand, title, detail, refresh, links = [], sent, reference } = props
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        {refresh > 0 ? <meta http-equiv="refresh" content={String(refresh)} /> : null}
        <title>{`${title} · ${brand.name}`}</title>
        <style>{raw(refusalStyle(brand))}</style>
      </head>
      <body>
        <main>
          <div class="brand">
            <LogoInside brand={brand} />
            {brand.name}
          </div>
          <h1>{title}</h1>
          <p>{detail}</p>
          {sent ? <p>{sent}</p> : null}
          {links.length > 0 ? (
            <p class="links">
              {links.map(({ href, label }) => (
                <a href={href}>{label}</a>
              ))}
            </p>
          ) : null}
          {refresh > 0 ? <p class="fine">{`This page reloads ${everyWords(refresh)}.`}</p> : null}
          {brand.support ? (
            <p class="fine">
              Help: <a href={brand.support.href}>{brand.support.text}</a>
            </p>
          ) : null}
          {reference ? (
            <p class="fine">
              Reference: <code>{reference}</code>
            </p>
          ) : null}
        </main>
      </body>
    </html>
  )
}

function everyWords(seconds: number): string {
  return seconds === 1 ? 'every second' : `every ${seconds} seconds`
}

const logoHeight = 28

function LogoInside({ brand }: { brand: Brand }) {
  const { logo } = brand
  if (logo) {
    const source = `data:${logo.type};base64,${logo.base64}`
    return <img src={source} width={logoWidth(brand, logoHeight)} height={logoHeight} alt="" />
  }
  return (
    <svg width={logoHeight} height={logoHeight} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M2 17 16 5l14 12v10H2z" fill="#8a4a12" />
      <path d="M12 27v-8h8v8z" fill="#faf1e6" />
    </svg>
  )
}

/** The whole document as text, for a connection on which no request was read. */
export function refusalDocument(
  brand: Brand,
): ({ title, detail }: Pick<RefusalPageProps, 'title' | 'detail'>) => string {
  return ({ title, detail }) => `<!doctype html>${RefusalPage({ brand, title, detail, refresh: 0 })}`
}
