/** The file that a build starts with. */
export const buildEntry = 'manifest.mjs'
