// The app: the theme, the cache of what the server said, and the one page there is.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Design } from "./design/design.tsx";
import { PlanPage } from "./pages/plan.tsx";

// A failure is shown at once, with its remedy, instead of after three silent tries.
const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });

export function App() {
  return (
    <Design>
      <QueryClientProvider client={queries}>
        <PlanPage />
      </QueryClientProvider>
    </Design>
  );
}
