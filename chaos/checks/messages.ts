import { groupedBy } from '../history/facts';
import { placeKey, placeName } from '../history/place';
import { type Check, type Finding, none, told } from './check';

/** A message that is accepted is what the node gives, and no other one is, whoever is killed. */
const ignored: Check = {
  promise: 'R1',
  title: 'accepted messages that a node did not take',
  kind: 'promise',
  judge: (facts) => {
    const accepted = facts.history.messages.filter(({ acceptedAtMs }) => acceptedAtMs !== null);
    const broken = accepted.flatMap((message): readonly Finding[] => {
      const row = facts.node.get(placeKey(message));
      if (row?.status !== 'succeeded' || row.number === message.number) return [];
      const what = `${message.kind} ${message.number} was accepted, and ${row.number} was taken`;
      return [{ runId: message.runId, says: `node ${placeName(message)}: ${what}` }];
    });
    return none(broken, accepted.length, 'accepted');
  },
};

/** How much there was to judge. Calls are made again when the node that asked for them was repeated. */
const sent: Check = {
  promise: 'R1',
  title: 'calls of waiting nodes, decisions of people',
  kind: 'figure',
  judge: ({ history: { messages } }) => {
    const said = ['callback', 'decision'].map((kind) => {
      const made = messages.filter((message) => message.kind === kind);
      const accepted = made.filter(({ acceptedAtMs }) => acceptedAtMs !== null).length;
      return `${made.length} ${kind}s (${accepted} accepted)`;
    });
    const places = groupedBy(messages, placeKey).size;
    return told(`${said.join(', ')} of ${places} nodes`);
  },
};

export const messageChecks: readonly Check[] = [ignored, sent];
