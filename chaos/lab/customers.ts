import { type Account, signUp } from '../../apps/api/test/support/account';
import { ApiClient, expectStatus } from '../../apps/api/test/support/api-client';
import { publish, type Published } from '../../apps/api/test/support/workflows';
import { type Graph, graphsFor } from '../load/graphs';

/** Somebody whose workflows are run. */
export interface Customer {
  readonly account: Account;
  readonly workflows: readonly { readonly graph: Graph; readonly published: Published }[];
}

/** Signs up customers, each with every graph that this version can run. */
export async function signUpCustomers(
  url: string,
  {
    count,
    effectUrl,
    graphs,
  }: { readonly count: number; readonly effectUrl: string; readonly graphs?: readonly Graph[] },
): Promise<readonly Customer[]> {
  const server = new ApiClient(url);
  const offered = graphs ?? graphsFor(await descriptionOf(server));
  const customers: Customer[] = [];
  for (let made = 0; made < count; made += 1) {
    const account = await signUp(server);
    const published = new Map<Graph, Published>();
    for (const graph of new Set(offered))
      published.set(graph, await publish(account, graph.definition(effectUrl)));
    const workflows = offered.flatMap((graph) => {
      const found = published.get(graph);
      return found ? [{ graph, published: found }] : [];
    });
    customers.push({ account, workflows });
  }
  return customers;
}

/** What the server says that it can. */
async function descriptionOf(server: ApiClient): Promise<string> {
  const answer = await server.get('/openapi.json');
  expectStatus(answer, 200);
  return answer.text;
}
