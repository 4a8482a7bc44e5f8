import { headTooLarge, type Problem } from '../problem.ts'

/**
 * The largest request head. Browsers send the cookies of a parent domain to every host below it, and any of these
 * hosts can set them: with node's own 16 KiB, four of them would lock an operator out.
 */
export const headerLimitBytes = 64 * 1024

/** The most fields of a request's head. Browsers send about twenty. Node refuses a thousand by itself. */
export const mostFields = 200

/**
 * The problem for a head beyond the limit. If cookies fill it, the response deletes them, or every later request
 * would fail too. A link cannot fake that, because an address contains no spaces.
 */
export function overflowProblem(packet: Buffer | undefined): Problem {
  if (!holdsCookies(packet)) {
    return headTooLarge(
      `Send fewer or shorter headers: ${headerLimitBytes / 1024} KiB is the limit, and ${mostFields} headers.`,
    )
  }
  return headTooLarge(
    'Your browser sends more cookies than can be read here. It has been asked to forget them: load the page again and sign in. If this stays, delete the cookies of this site and of its parent domain in the browser’s settings.',
    { headers: { 'Clear-Site-Data': '"cookies"' } },
  )
}

/** True for a head with several cookies, as browsers send them: a person needs a page instead of JSON. */
export function holdsCookies(packet: Buffer | undefined): boolean {
  const pairs = packet?.toString('latin1').match(/; [!#$%&'*+.^_`|~\w-]+=|\r\ncookie:/gi)
  return (pairs?.length ?? 0) >= 2
}
