import { idsOfStrings } from '../../fusion/fusellm/minimum-edit-distance.ts';
import { respelledStrings, type TokenStrings } from '../../fusion/fusellm/token-strings.ts';
import { NOT_MAPPED } from '../../fusion/vocabulary/exact-map.ts';

/**
 * The map of FuseLLM's "hard" mode: to the token of the same string, once its space marks are the target's,
 * or to none. Unlike exactVocabularyMap it compares spellings and not bytes: '<0x0A>' is not 'Ċ'.
 *
 * @returns [source vocabulary] target id of each source id, or {@link NOT_MAPPED}
 */
export function equalStringMap(source: TokenStrings, target: TokenStrings): Int32Array<ArrayBuffer> {
  const idOf = idsOfStrings(respelledStrings(target, target.spaceMark));
  return Int32Array.from(respelledStrings(source, target.spaceMark), (string) =>
    string === undefined ? NOT_MAPPED : (idOf.get(string) ?? NOT_MAPPED),
  );
}
