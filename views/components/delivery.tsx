import type { DeliveryStatus } from '../../plugins/mail/contract.ts'
import { Badge } from './status.tsx'
import { Time } from './time.tsx'

export interface DeliveryProps {
  status: DeliveryStatus
  /** When a waiting message is attempted next. */
  nextAt: number
  /** Why the last attempt failed. */
  error: string | null
  now: number
}

/** The delivery status of a message that is sent in the background. */
export function Delivery({ status, nextAt, error, now }: DeliveryProps) {
  const why = error ? <span class="sub">{error}</span> : null
  if (status === 'sent') {
    return (
      <Badge tone="ok" shape="check">
        Sent
      </Badge>
    )
  }
  if (status === 'failed') {
    return (
      <>
        <Badge tone="bad" shape="cross">
          Given up
        </Badge>
        {why}
      </>
    )
  }
  return (
    <>
      <Badge tone="busy" shape={status === 'sending' ? 'turning' : 'clock'}>
        {status === 'sending' ? 'Sending' : 'Waiting'}
      </Badge>
      {why}
      {nextAt > now ? (
        <span class="sub">
          next attempt <Time at={nextAt} now={now} />
        </span>
      ) : null}
    </>
  )
}
