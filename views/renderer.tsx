import { jsxRenderer } from 'hono/jsx-renderer'
import { Layout, type LayoutProps, type PageProps } from './layout.tsx'

declare module 'hono' {
  interface ContextRenderer {
    // biome-ignore lint/style/useShorthandFunctionType: declaration merging wants an interface
    (content: string | Promise<string>, props: PageProps): Response | Promise<Response>
  }
}

/** Puts the frame around what `c.render(<Page />, { title })` is given. */
export function pageRenderer(frame: Pick<LayoutProps, 'place' | 'assets'>) {
  return jsxRenderer(({ children, ...page }) => (
    <Layout {...(page as unknown as PageProps)} {...frame}>
      {children}
    </Layout>
  ))
}
