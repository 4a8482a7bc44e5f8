import { createHmac } from 'node:crypto'
import { DeliveryError } from './delivery-error.ts'

const patienceMs = 10_000

/**
 * Posts a JSON body. `Longhouse-Signature: t=<unix seconds>,v1=<hex>` is the HMAC-SHA256 of `<t>.<body>` under the
 * secret, and is omitted without one; `Longhouse-Delivery` is the same for every attempt. Throws a DeliveryError
 * unless the response is 2xx.
 */
export async function postWebhook(
  url: string,
  { body, secret, deliveryId, now }: { body: string; secret: string; deliveryId: string; now: number },
): Promise<void> {
  const t = Math.floor(now / 1000)
  const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'Longhouse',
    'Longhouse-Delivery': deliveryId,
    ...(secret === '' ? {} : { 'Longhouse-Signature': `t=${t},v1=${v1}` }),
  }
  requireAccepted(await request(url, { method: 'POST', body, headers }), 'the webhook')
}

/** Throws a DeliveryError unless a status is 2xx. `who` answered, in words. */
export function requireAccepted(status: number, who: string): void {
  if (status >= 200 && status < 300) return
  // 4xx means that the request is wrong, except for the two that ask for a retry.
  const permanent = status >= 400 && status < 500 && status !== 408 && status !== 429
  throw new DeliveryError(`${who} answered with ${status}`, { permanent })
}

/** Sends a request and waits only for the response's headers. Returns the status; follows no redirect. */
export async function request(url: string, init: RequestInit = {}): Promise<number> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs), ...init })
    await answer.body?.cancel()
    return answer.status
  } catch (error) {
    const cause = (error as Error).cause as { code?: string; message?: string } | undefined
    const why =
      (error as Error).name === 'TimeoutError'
        ? `no answer within ${patienceMs / 1000} seconds`
        : (cause?.code ?? cause?.message ?? (error as Error).message)
    throw new DeliveryError(why, { permanent: false, cause: error })
  }
}
