import { raw } from 'hono/html'
import { jsxRenderer } from 'hono/jsx-renderer'
import { type Brand, Branded } from './brand.tsx'
import { Layout, type LayoutProps, type PageProps } from './layout.tsx'
import { type Permits, ShownTo } from './permits.tsx'

interface Principal {
  kind: string
  id: string
  name: string
}

declare module 'hono' {
  interface ContextRenderer {
    // biome-ignore lint/style/useShorthandFunctionType: declaration merging wants an interface
    (content: string | Promise<string>, props: PageProps): Response | Promise<Response>
  }
}

/**
 * Wraps the content of `c.render(<Page />, { title })` in the layout, and leaves out what the person may not do. `warning` is
 * shown above pages without their own, `who` beside the button that signs out.
 */
export function pageRenderer({
  warning = () => null,
  who = () => null,
  brand,
  ...frame
}: Pick<LayoutProps, 'place' | 'assets'> & {
  brand: Brand
  warning?(): string | null
  /** What the layout says of who is signed in. */
  who?(principal: Principal | undefined): NonNullable<LayoutProps['who']> | null
}) {
  return jsxRenderer(
    ({ children, ...rest }, c) => {
      const page = rest as unknown as PageProps
      const permits: Permits = c.get('permits') ?? (() => true)
      const content = page.fragment ? (
        children
      ) : (
        <>
          {raw('<!DOCTYPE html>')}
          <Layout {...page} {...frame} who={who(c.get('principal'))} warning={page.warning ?? warning()}>
            {children}
          </Layout>
        </>
      )
      return (
        <Branded brand={brand}>
          <ShownTo permits={permits}>{content}</ShownTo>
        </Branded>
      )
    },
    { docType: false },
  )
}
