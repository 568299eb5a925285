module keyplate.example/bench

go 1.19
