import type { AppSecret } from '../../../plugins/operators/contract.ts'

/** The QR code of an app's secret, and the secret as text for those who type it or tap a link. */
export function QrCode({ app: { qr, secret, uri } }: { app: AppSecret }) {
  return (
    <div class="qr">
      <svg
        class="qr-code"
        viewBox={`0 0 ${qr.size} ${qr.size}`}
        role="img"
        aria-label="QR code for your app"
        shape-rendering="crispEdges"
      >
        <path d={qr.path} />
      </svg>
      <p>
        Or type it: <code class="secret">{secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
      </p>
      <p class="fine">
        On this phone: <a href={uri}>open your app</a>.
      </p>
    </div>
  )
}
