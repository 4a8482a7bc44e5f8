/** Nobody writes JSON that is nested deeper by hand; what walks through it, or indents it for a page, would choke on more. */
export const mostNested = 100

/** True for a JSON text whose lists and objects lie in each other more than `mostNested` deep. */
export function isNestedTooDeep(json: string): boolean {
  let depth = 0
  let inText = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (inText) {
      if (code === backslash) at++
      else if (code === quote) inText = false
    } else if (code === quote) inText = true
    else if (code === openList || code === openObject) {
      if (++depth > mostNested) return true
    } else if (code === closeList || code === closeObject) depth--
  }
  return false
}

const [quote, backslash, openList, closeList, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]
