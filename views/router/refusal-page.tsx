import { raw } from 'hono/html'

export interface RefusalPageProps {
  title: string
  detail: string
  /** Seconds after which the page loads itself again; 0 when there is nothing to wait for. */
  refresh: number
}

/** The whole style, in the page itself: it is shown on hosts whose other addresses belong to a customer. */
export const refusalStyle = `:root{color-scheme:light dark;--page:#fbfaf8;--text:#23211d;--soft:#5d5850;--line:#ddd8cf}
@media (prefers-color-scheme:dark){:root{--page:#1a1917;--text:#ece8e1;--soft:#aaa397;--line:#3a3732}}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--text);font:1rem/1.55 system-ui,sans-serif}
main{max-width:32rem;margin:1.5rem;padding-left:1.25rem;border-left:3px solid var(--line)}
h1{margin:0 0 .4rem;font-size:1.3rem;line-height:1.3}
p{margin:0 0 .6rem}
.fine{color:var(--soft);font-size:.9rem}`

/** What people see on an instance's address while the instance cannot answer. Complete without style or script. */
export function RefusalPage({ title, detail, refresh }: RefusalPageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        {refresh > 0 ? <meta http-equiv="refresh" content={String(refresh)} /> : null}
        <title>{title}</title>
        <style>{raw(refusalStyle)}</style>
      </head>
      <body>
        <main>
          <h1>{title}</h1>
          <p>{detail}</p>
          {refresh > 0 ? <p class="fine">{`This page reloads every ${refresh} seconds.`}</p> : null}
        </main>
      </body>
    </html>
  )
}

/** The whole document as text, for a connection on which no request was read. */
export function refusalDocument({ title, detail }: Pick<RefusalPageProps, 'title' | 'detail'>): string {
  return `<!doctype html>${RefusalPage({ title, detail, refresh: 0 })}`
}
