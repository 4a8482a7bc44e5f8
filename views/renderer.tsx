import { jsxRenderer } from 'hono/jsx-renderer'
import { Layout, type LayoutProps, type PageProps } from './layout.tsx'

declare module 'hono' {
  interface ContextRenderer {
    // biome-ignore lint/style/useShorthandFunctionType: declaration merging wants an interface
    (content: string | Promise<string>, props: PageProps): Response | Promise<Response>
  }
}

/**
 * Wraps the content of `c.render(<Page />, { title })` in the layout. `warning` is shown above pages without their
 * own.
 */
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
