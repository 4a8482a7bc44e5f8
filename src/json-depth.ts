/** The deepest nesting of JSON that is accepted. Recursive code and indented pages could not handle much more. */
export const maxJsonDepth = 100

/** Returns true if a JSON text nests lists and objects more than `maxJsonDepth` deep. */
export function isTooDeepJson(json: string): boolean {
  let depth = 0
  let inText = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (inText) {
      if (code === backslash) at++
      else if (code === quote) inText = false
    } else if (code === quote) inText = true
    else if (code === openList || code === openObject) {
      if (++depth > maxJsonDepth) return true
    } else if (code === closeList || code === closeObject) depth--
  }
  return false
}

const [quote, backslash, openList, closeList, openObject, closeObject] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]
