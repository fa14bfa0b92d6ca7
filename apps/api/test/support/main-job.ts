import type { Sink } from './sink';
import { chain } from './workflows';

/** A push of GitHub opens a ticket; one to main is summed up a second later. */
export function mainJob(sink: Sink): object {
  return {
    nodes: [
      { id: 'github', type: 'trigger.webhook', name: 'GitHub' },
      {
        id: 'ticket',
        type: 'http.request',
        params: {
          method: 'POST',
          url: sink.url('/tickets'),
          body: {
            json: {
              repository: '{{ trigger.body.repository.full_name }}',
              commit: '{{ trigger.body.after }}',
              commits: '{{ $count(trigger.body.commits) }}',
            },
          },
        },
      },
      { id: 'on_main', type: 'condition', params: { if: '{{ trigger.body.ref = "refs/heads/main" }}' } },
      { id: 'pause', type: 'delay', params: { seconds: 1 } },
      {
        id: 'summary',
        type: 'set',
        params: {
          values: {
            title:
              '{{ trigger.body.repository.full_name }}: {{ $count(trigger.body.commits) }} commits by {{ trigger.body.pusher.name }}',
            ticket: '{{ nodes.ticket.body.ticket }}',
          },
        },
      },
      { id: 'ignored', type: 'set', params: { values: {} } },
    ],
    edges: [
      ...chain('github', 'ticket', 'on_main'),
      { from: 'on_main', port: 'true', to: 'pause' },
      { from: 'on_main', port: 'false', to: 'ignored' },
      ...chain('pause', 'summary'),
    ],
  };
}
