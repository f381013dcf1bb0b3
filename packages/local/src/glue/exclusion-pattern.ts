/**
 * A crawler's exclusion: a glob relative to the target, where `*` stays within a folder, `**` crosses folders,
 * `?` is one character, `[a-c]` and `[!a]` one of a set, and `{a,b}` alternatives.
 */
export function exclusionPattern(glob: string): RegExp {
  let source = ''
  let braces = 0
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob.charAt(at)
    if (character === '\\') {
      at += 1
      source += literal(glob.charAt(at))
    } else if (character === '*') {
      const crosses = glob.charAt(at + 1) === '*'
      if (crosses) at += 1
      source += crosses ? '.*' : '[^/]*'
    } else if (character === '?') source += '[^/]'
    else if (character === '[') {
      const end = glob.indexOf(']', at + 2)
      if (end === -1) throw new SyntaxError(`the bracket at ${at} is not closed`)
      const set = glob
        .slice(at + 1, end)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[')
      source += `[${set.startsWith('!') ? `^${set.slice(1)}` : set}]`
      at = end
    } else if (character === '{') {
      source += '(?:'
      braces += 1
    } else if (character === '}' && braces > 0) {
      source += ')'
      braces -= 1
    } else if (character === ',' && braces > 0) source += '|'
    else source += literal(character)
  }
  if (braces > 0) throw new SyntaxError('a brace is not closed')
  return new RegExp(`^${source}$`, 's')
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
