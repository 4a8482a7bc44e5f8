import { type Child, createContext, useContext } from 'hono/jsx'

/** Whether the person who looks at a page may call what a form or a link of it leads to. */
export type Permits = (method: 'get' | 'post', href: string) => boolean

const context = createContext<Permits>(() => true)

/** Whether to show a form or a link. */
export const usePermits = (): Permits => useContext(context)

/** Shows content only to those who may call what it leads to. */
export function IfPermitted(props: { method?: 'get' | 'post'; href: string; children: Child }) {
  return <>{usePermits()(props.method ?? 'get', props.href) ? props.children : null}</>
}

/** Renders content for one person. */
export function ShownTo({ permits, children }: { permits: Permits; children?: Child }) {
  return <context.Provider value={permits}>{children}</context.Provider>
}
