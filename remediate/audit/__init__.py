"""Rules and grades: what an audit finds in what hosts answered."""
