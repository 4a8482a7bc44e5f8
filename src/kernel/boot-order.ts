interface Node {
  name: string
  needs: readonly string[]
}

/**
 * Sorts plugins so that each follows its needs, otherwise in the given order. Returns every fault: duplicate names,
 * needs that do not exist, circles with their members.
 */
export function bootOrder<P extends Node>(plugins: readonly P[]): { order: P[]; faults: string[] } {
  const faults: string[] = []
  const byName = new Map<string, P>()
  for (const plugin of plugins) {
    if (byName.has(plugin.name)) faults.push(`two plugins are called "${plugin.name}"`)
    byName.set(plugin.name, plugin)
  }
  for (const plugin of plugins) {
    for (const need of plugin.needs) {
      if (!byName.has(need)) faults.push(`plugin "${plugin.name}" needs "${need}", which is not there`)
    }
  }

  const order: P[] = []
  const placed = new Set<string>()
  const visit = (plugin: P, path: readonly string[]) => {
    if (placed.has(plugin.name)) return
    const start = path.indexOf(plugin.name)
    if (start >= 0) {
      faults.push(`plugins need each other in a circle: ${[...path.slice(start), plugin.name].join(' → ')}`)
      return
    }
    for (const need of plugin.needs) {
      const needed = byName.get(need)
      if (needed) visit(needed, [...path, plugin.name])
    }
    if (!placed.has(plugin.name)) {
      placed.add(plugin.name)
      order.push(plugin)
    }
  }
  for (const plugin of plugins) visit(plugin, [])
  return { order, faults }
}
