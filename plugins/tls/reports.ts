import type { Kept } from '../../src/http/tls/certificate-store.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import { gauge, type Metric } from '../../src/metrics/exposition.ts'
import type { FailedOrder } from './orders/attempts.ts'

const dayMs = 86_400_000
/** Of a large site, the certificates that end first. */
const mostSamples = 100
/** One failure may be temporary. */
const failuresBeforeAlert = 3

export const concernKinds = [
  'certificate-unusable',
  'certificate-expiring',
  'certificate-order-failed',
] as const

export interface Certificates {
  kept: readonly Kept[]
  failed: readonly FailedOrder[]
}

/** What the operator should know of the certificates. `now` in milliseconds. */
export function certificateConcerns({ kept, failed }: Certificates, now: number): Concern[] {
  const common = { subdomain: null, path: '/admin/overview' }
  const expiring = kept.filter(each => each.certificate && endsSoon(each.certificate, now))
  return [
    ...kept
      .filter(({ fault }) => fault !== null)
      .map(
        ({ file, fault, certificate }): Concern => ({
          ...common,
          kind: 'certificate-unusable',
          subject: file,
          summary: 'A certificate on the disk cannot be used',
          detail: `${fault}. ${certificate ? 'The last good one stays in use.' : 'Nothing is served with it.'}`,
          urgency: 'alert',
        }),
      ),
    ...expiring.map(({ file, certificate }): Concern => {
      const days = Math.floor(((certificate?.notAfter ?? 0) - now) / dayMs)
      const names = certificate?.names.join(', ')
      return {
        ...common,
        kind: 'certificate-expiring',
        subject: file,
        summary:
          days < 0
            ? `The certificate for ${names} has expired`
            : `The certificate for ${names} expires in ${days} days`,
        detail: `It is in ${file}. Browsers refuse an expired one.`,
        urgency: 'alert',
      }
    }),
    ...failed.map(
      ({ name, fault, attempts, retryAt }): Concern => ({
        ...common,
        kind: 'certificate-order-failed',
        subject: name,
        summary: `The certificate for ${name} could not be ordered`,
        detail: `${fault} It is tried again at ${new Date(retryAt).toISOString()}.`,
        urgency: attempts >= failuresBeforeAlert ? 'alert' : 'notice',
      }),
    ),
  ]
}

/** In its last two weeks, or last quarter if it lives shorter: a renewal would have replaced it by then. */
function endsSoon({ notBefore, notAfter }: { notBefore: number; notAfter: number }, now: number): boolean {
  return now >= notAfter - Math.min(14 * dayMs, (notAfter - notBefore) / 4)
}

export function certificateMetrics({ kept, failed }: Certificates): Metric[] {
  const inUse = kept.flatMap(({ certificate }) => certificate ?? [])
  const soonest = inUse.toSorted((a, b) => a.notAfter - b.notAfter).slice(0, mostSamples)
  return [
    gauge('longhouse_tls_certificates', 'Certificates that are in use.', [[{}, inUse.length]]),
    gauge('longhouse_tls_orders_failed', 'Certificates that could not be ordered yet.', [
      [{}, failed.length],
    ]),
    gauge(
      'longhouse_tls_certificate_expires_seconds',
      `When certificates expire, as Unix time: the ${mostSamples} that expire first.`,
      soonest.map(({ names, notAfter, serial }) => [{ name: names[0] ?? '', serial }, notAfter / 1000]),
    ),
  ]
}
