/** Every kind that a file system over which a third-party server may lie can hold as a path. */
export const pathKeys: Readonly<Record<string, readonly string[]>> = {
  'in Hive style': [
    'dt=2024-01-02/symbol=BRK.B/a b+c%',
    'dt=../symbol=BRK.B/a b+c%',
    'dt=__HIVE_DEFAULT_PARTITION__/symbol=BRK%2FB/x',
  ],
  'with characters that URLs keep for themselves': ['q?x=1&y#z', "!'()~-_.*", 'a:b@c,d;e$f', '%2F', '%'],
  'with characters that XML keeps for itself': ['<key>&amp;"quoted"\'</key>', ']]>', '&#65;'],
  'beyond ASCII': ['ünï/日本/🚀', 'e\u0301', '\u00e9'],
  'that differ in case only': ['Case', 'case', 'CASE'],
  'with spaces around and dots within': ['space ', ' lead', 'dot.', '...', 'a..b/c'],
  'that are no file names on Windows': ['con/nul.txt', 'com1', 'back\\slash', 'c:/x', 'a*b|c'],
  'with segments of 255 bytes': ['s'.repeat(255), `${'d'.repeat(255)}/k`, `${'é'.repeat(127)}x`],
}

/** What no file can be called, or what cannot be beside each other in a file system. */
export const keysBeyondPaths: Readonly<Record<string, readonly string[]>> = {
  'beside and below each other': ['a', 'a/b', 'a/b/c'],
  'with empty segments': ['x//y', 'x/y', '/lead', 'lead', '//', 'dir/', 'dir/file'],
  'with segments that are only dots': ['.', '..', '../up', 'w/../z', 'w/./z', 'z'],
  'with segments of more than 255 bytes': ['s'.repeat(256), `${'d'.repeat(600)}/${'e'.repeat(400)}`],
}
