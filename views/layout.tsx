import type { Child } from 'hono/jsx'
import { logoWidth, SupportLink, useBrand } from './brand.tsx'
import { usePermits } from './permits.tsx'

export interface NavLink {
  href: string
  label: string
  current: boolean
}

export interface PageProps {
  title: string
  /** Links to the program’s main parts; none for a visitor who is not signed in. */
  nav?: readonly NavLink[]
  /** Where the sign-out form posts to; without it there is no form. */
  signOut?: string
  /** Seconds after which a browser without JavaScript reloads the page, for pages with work in progress. */
  refresh?: number
  /** A narrow form, such as a sign-in, instead of a full-width page. */
  narrow?: boolean
  /** A line above every page, such as a warning about the process driver. */
  warning?: string | null
  /** Only the content, to be swapped into a page. */
  fragment?: boolean
  /** Loads the script for passkeys. */
  passkeys?: boolean
}

export interface LayoutProps extends PageProps {
  /** The text beside the name: the instance's subdomain, or the site's domain. */
  place: string
  assets: {
    style: string
    script: string
    /** The logo, which is the icon too. */
    icon: string
    passkeys?: string
    /** The stylesheet with the site's own colours. */
    colours?: string
  }
  /** Who is signed in, with the page about their sign-in. */
  who?: { name: string; href: string } | null
  children?: Child
}

/**
 * htmx adds no styles of its own and evaluates nothing, as the Content-Security-Policy requires. Error pages are
 * never swapped into a page’s live part, which stays unchanged until the next poll. A disclosure that a person opened
 * stays open.
 */
const htmxConfig = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  noSwap: [204, 304, '4xx', '5xx'],
  morphIgnore: ['data-htmx-powered', 'open'],
})

/** The layout of every page of both programs. */
export function Layout(props: LayoutProps) {
  const { title, signOut, refresh, narrow, warning, place, assets, who, children } = props
  const permits = usePermits()
  const brand = useBrand()
  const nav = (props.nav ?? []).filter(({ href }) => permits('get', href))
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${place}`}</title>
        <link rel="stylesheet" href={assets.style} />
        {assets.colours ? <link rel="stylesheet" href={assets.colours} /> : null}
        <link rel="icon" href={assets.icon} type={brand.logo?.type ?? 'image/svg+xml'} />
        <meta name="htmx-config" content={htmxConfig} />
        <script src={assets.script} defer />
        {props.passkeys && assets.passkeys ? <script src={assets.passkeys} defer /> : null}
        {refresh ? (
          <noscript>
            <meta http-equiv="refresh" content={String(refresh)} />
          </noscript>
        ) : null}
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="site">
          <a class="brand" href="/">
            <img src={assets.icon} width={logoWidth(brand, 22)} height="22" alt="" />
            {brand.name} <span class="place">{place}</span>
          </a>
          {nav.length > 0 ? (
            <nav aria-label="Main">
              {nav.map(link => (
                <a href={link.href} aria-current={link.current ? 'page' : undefined}>
                  {link.label}
                </a>
              ))}
            </nav>
          ) : null}
          {signOut ? (
            <form method="post" action={signOut}>
              {who ? (
                <a class="who" href={who.href}>
                  {who.name}
                </a>
              ) : null}
              <button type="submit" class="quiet">
                Sign out
              </button>
            </form>
          ) : null}
        </header>
        {warning ? <p class="site-warning">{warning}</p> : null}
        <main id="main" class={narrow ? 'narrow' : undefined}>
          {children}
        </main>
        {brand.support ? (
          <footer class="site">
            Help: <SupportLink />
          </footer>
        ) : null}
      </body>
    </html>
  )
}
