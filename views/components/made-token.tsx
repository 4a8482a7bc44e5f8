import { Notice } from './panel.tsx'

/** The secret of a token that was just made, which is shown only now, and how to use it at this address. */
export function MadeToken({ name, secret, url }: { name: string; secret: string; url: string }) {
  return (
    <Notice tone="ok" title={`The token “${name}”`}>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <p>Copy it now: it is shown only once. Longhouse keeps only a hash.</p>
      <pre class="code">{`curl -H 'Authorization: Bearer ${secret}' ${url}`}</pre>
    </Notice>
  )
}
