import { jsxRenderer } from 'hono/jsx-renderer'
import { Layout, type LayoutProps, type PageProps } from './layout.tsx'

declare module 'hono' {
  interface ContextRenderer {
    // biome-ignore lint/style/useShorthandFunctionType: declaration merging wants an interface
    (content: string | Promise<string>, props: PageProps): Response | Promise<Response>
  }
}

/** Puts the frame around what `c.render(<Page />, { title })` is given. `warning` stands above pages that have none. */
export function pageRenderer({
  warning = () => null,
  ...frame
}: Pick<LayoutProps, 'place' | 'assets'> & { warning?(): string | null }) {
  return jsxRenderer(({ children, ...rest }) => {
    const page = rest as unknown as PageProps
    return (
      <Layout {...page} {...frame} warning={page.warning ?? warning()}>
        {children}
      </Layout>
    )
  })
}
